"""Tables of published sets of mammograms in the columns that an experiment needs."""
