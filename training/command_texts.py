"""Help texts of the commands."""

OVERVIEW = """\
Train, measure and export a mammogram classifier, one step at a time:

  phantoms   render synthetic mammograms with known lesions   -> a data directory
  prepare    decode and fit every image once                  -> the cache
  train      fit the network, stop when it stops improving    -> runs/<experiment>/best.keras
  evaluate   choose temperature and threshold, then measure   -> runs/<experiment>/evaluation.json, *.png
  scorecard  test whether it learned anatomy or a shortcut    -> runs/<experiment>/scorecard.json
  export     write the bundle that the service loads          -> models/<name>/<version>/

An experiment is one TOML file with every hyperparameter in it; training/experiments/demo.toml explains each. Its
paths are relative to the directory you are in. `prepare` and `train` can be interrupted and run again: they go on where
they were.
"""
WALK_THROUGH = """\
example, from nothing to a bundle:
  %(prog)s phantoms --out data/phantoms --patients 700
  %(prog)s prepare  training/experiments/demo.toml
  %(prog)s train    training/experiments/demo.toml
  %(prog)s evaluate  runs/demo
  %(prog)s scorecard runs/demo
  %(prog)s export    runs/demo --out models/demo/1 --require-scorecard

`%(prog)s COMMAND --help` says more of each.
"""
PHANTOMS = """\
Render synthetic patients of four views each, as DICOM files with a table in the columns of the RSNA 2022 challenge,
the masks of breasts and the masks of the lesions that make an image positive.

  %(prog)s --out data/phantoms --patients 700
  %(prog)s --out data/small --patients 20 --cancer-rate 0.3 --seed 7
"""
PREPARE = """\
Decode and fit every image of the table into the cache, with the service's own decoder and fit, in parallel. An image
that cannot be used is listed in <cache>/failures.csv with the reason, and left out of training.

  %(prog)s training/experiments/demo.toml
"""
TRAIN = """\
Train until the validation loss has not fallen for `patience` epochs. Every epoch leaves a checkpoint: after a kill,
the same command goes on where it was, to the same figures. Watch it with `tensorboard --logdir runs`.

  %(prog)s training/experiments/demo.toml
  %(prog)s my.toml --run runs/my-second-try
"""
EVALUATE = """\
Fit the temperature and choose the threshold on the validation patients, then measure on the test patients: AUC with
an interval drawn by patient, sensitivity at 90 %% specificity, the confusion matrix, calibration, and, where lesion
masks are known, how often the peak of Grad-CAM lies in the lesion.

  %(prog)s runs/demo
"""
SCORECARD = """\
Test the network on images it has not seen: what is left of it without the breast, with the corners alone or without
markers, whether its heatmaps point into the breast and differ between images, whether they change when its weights are
made random, and, where lesion masks are known, how well each method finds them. The ranges that single images' figures
are compared with, and what the network's images look like to it, come along. `export` puts all of it into the bundle.

  %(prog)s runs/demo

A network that was not trained here is tested on the images of an experiment:

  %(prog)s --keras my.keras --bundle my.toml --experiment my-data.toml --out my-scorecard.json
"""
EXPORT = """\
Write the bundle that the service loads: a SavedModel with its explanations, manifest, self-test and model card. --out
ends in <name>/<version>.

  %(prog)s runs/demo --out models/demo/1 --require-scorecard

Any Keras functional or sequential classifier can be exported too. A TOML file then says what an evaluation would
have: its sections are
[fit], [decision] (classes, positive_class, threshold, threshold_rule, temperature) and [bundle].

  %(prog)s --keras my.keras --bundle my.toml --scorecard my-scorecard.json --out models/mine/1
"""
