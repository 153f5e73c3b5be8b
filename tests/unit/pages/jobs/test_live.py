from pages._ui.jobs.live import _loss_range


def test_a_wild_validation_loss_does_not_flatten_the_rest() -> None:
    epochs = {1: {"train_loss": 1.5, "validation_loss": 200.0}, 2: {"train_loss": 1.0, "validation_loss": 1.2}}
    assert _loss_range(epochs) == [0.0, 1.05 * 4.5]


def test_losses_of_one_size_fill_the_axis() -> None:
    epochs = {1: {"train_loss": 1.5, "validation_loss": 1.8, "validation_dice": 9.0}}
    assert _loss_range(epochs) == [0.0, 1.05 * 1.8]


def test_without_a_loss_the_chart_chooses() -> None:
    assert _loss_range({1: {"validation_dice": 0.5}}) is None
