import keras
import numpy as np
import pytest

from training.fit.optimiser import make_optimiser
from training.training_config import Training

STEPS = 10


def training(**changes: object) -> Training:
    usual = {
        "seed": 1,
        "epochs": 4,
        "patience": 4,
        "batch_size": 8,
        "learning_rate": 0.1,
    }
    return Training.model_validate({**usual, **changes})


def variables() -> list[keras.Variable]:
    return [keras.Variable(np.ones(2, np.float32), name=name) for name in ("kernel", "other")]


def stepped(gradient: float = 1.0, **changes: object) -> list[np.ndarray]:
    """Both variables after one step, of which the first one is slow."""
    both = variables()
    optimiser = make_optimiser(
        training(**changes), STEPS, first_epoch=0, slow={both[0].path}, rate=0.25
    )
    optimiser.build(both)
    optimiser.apply([np.full(2, gradient, np.float32)] * 2)
    return [np.array(variable) for variable in both]


def rates(steps: list[int], first_epoch: int = 0, **changes: object) -> list[float]:
    optimiser = make_optimiser(
        training(**changes), STEPS, first_epoch=first_epoch, slow=(), rate=1.0
    )
    optimiser.build(variables())
    values = []
    for step in steps:
        optimiser.iterations.assign(step)
        values.append(float(optimiser.learning_rate))
    return values


def test_rate_falls_along_half_a_cosine() -> None:
    told = rates([0, 10, 20, 40])

    # Half a cosine from 1 to 0: cos(pi / 4) after a quarter.
    expected = [0.1, 0.1 * (1 + np.sqrt(0.5)) / 2, 0.05, 0.0]
    assert told == pytest.approx(expected, abs=1e-7)


def test_rate_rises_before_it_falls() -> None:
    told = rates([0, 5, 10, 25, 40], warmup_epochs=1)

    assert told == pytest.approx([0, 0.05, 0.1, 0.05, 0], abs=1e-7)


def test_later_phase_goes_on_along_the_schedule() -> None:
    assert rates([0, 10], first_epoch=2) == pytest.approx(rates([20, 30]))


def test_slow_variable_takes_a_shorter_step() -> None:
    slow, fast = stepped()

    # The first step of Adam has the length of the learning rate.
    assert fast == pytest.approx(0.9, abs=1e-5)
    assert slow == pytest.approx(1 - 0.25 * 0.1, abs=1e-5)


def test_kernels_alone_decay() -> None:
    kernel = keras.Variable(np.ones(2, np.float32), name="kernel")
    bias = keras.Variable(np.ones(2, np.float32), name="bias")
    optimiser = make_optimiser(training(weight_decay=0.5), STEPS, first_epoch=0, slow=(), rate=1.0)
    optimiser.build([kernel, bias])

    optimiser.apply([np.zeros(2, np.float32)] * 2)

    # Decoupled: the kernel loses the rate times the decay.
    assert np.array(kernel) == pytest.approx(1 - 0.1 * 0.5)
    assert np.array(bias) == pytest.approx(1)


def test_gradients_are_clipped_together() -> None:
    one = keras.Variable(np.zeros(1, np.float32), name="one")
    optimiser = make_optimiser(training(clip=1.0), STEPS, first_epoch=0, slow=(), rate=1.0)
    optimiser.build([one, other := keras.Variable(np.zeros(1, np.float32), name="other")])

    optimiser.apply([np.array([3.0], np.float32), np.array([4.0], np.float32)])

    # (3, 4) has the norm 5. Adam's first moment is a tenth of the clipped gradient.
    moments = {variable.path: np.array(variable) for variable in optimiser.variables}
    first = [value for path, value in moments.items() if path.endswith("momentum")]
    assert np.concatenate(first) == pytest.approx([0.06, 0.08], rel=1e-5)
    assert np.array(other) < 0


def test_running_mean_of_weights_follows_them() -> None:
    one = keras.Variable(np.zeros(1, np.float32), name="kernel")
    optimiser = make_optimiser(training(ema=0.5), STEPS, first_epoch=0, slow=(), rate=1.0)
    optimiser.build([one])

    optimiser.apply([np.array([1.0], np.float32)])
    after_one = float(np.array(one)[0])
    optimiser.apply([np.array([1.0], np.float32)])
    after_two = float(np.array(one)[0])

    # The mean begins with the weights after the first step.
    (mean,) = optimiser._model_variables_moving_average
    assert float(np.array(mean)[0]) == pytest.approx((after_one + after_two) / 2)
