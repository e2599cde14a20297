"""What people paste from terminals and notebooks is read as they meant it."""

import numpy as np
import pytest

from diagnostics import History

KERAS_2 = """Train on 60000 samples, validate on 10000 samples
Epoch 1/2
60000/60000 [=====] - 4s 68us/step - loss: 2.10 - acc: 0.30 - val_loss: 1.90 - val_acc: 0.40
Epoch 2/2
60000/60000 [=====] - 4s 64us/step - loss: 1.10 - acc: 0.60 - val_loss: 1.20 - val_acc: 0.50
"""
KERAS_3 = """Epoch 1/2
\x1b[1m9/9\x1b[0m \x1b[32m━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m4s\x1b[0m 2ms/step \
- acc: 0.30 - loss: 2.10 - val_acc: 0.40 - val_loss: 1.90 - learning_rate: 0.0010
Epoch 1: val_loss improved from 7.5 to 1.9, saving model to best.keras
Epoch 2/2
\x1b[1m9/9\x1b[0m \x1b[32m━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m4s\x1b[0m 2ms/step \
- acc: 0.60 - loss: 1.10 - val_acc: 0.50 - val_loss: 1.20 - learning_rate: 0.0005
"""
KERAS_BAR = (
    "Epoch 1/2\n 1/9 [.] - ETA: 5s - loss: 9.9 - acc: 0.1\x08\x08\r"
    "9/9 [=] - 5s - loss: 2.10 - acc: 0.30 - val_loss: 1.90 - val_acc: 0.40\n"
    "Epoch 2/2\n 1/9 [.] - ETA: 5s - loss: 9.9 - acc: 0.1\r"
    "9/9 [=] - 5s - loss: 1.10 - acc: 0.60 - val_loss: 1.20 - val_acc: 0.50\n"
)
PHASES = """Epoch 1/2
----------
train Loss: 2.10 Acc: 0.30
val Loss: 1.90 Acc: 0.40

Epoch 2/2
----------
train Loss: 1.10 Acc: 0.60
val Loss: 1.20 Acc: 0.50
Best val Acc: 0.99
"""
TWO_LINES = """Epoch: 01 | Epoch Time: 0m 18s
\tTrain Loss: 2.10 | Train Acc: 30.0%
\t Val. Loss: 1.90 |  Val. Acc: 40.0%
Epoch: 02 | Epoch Time: 0m 18s
\tTrain Loss: 1.10 | Train Acc: 60.0%
\t Val. Loss: 1.20 |  Val. Acc: 50.0%
"""
MNIST_EXAMPLE = """Train Epoch: 1 [0/60000 (0%)]\tLoss: 2.150000 Acc: 0.3
Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.050000 Acc: 0.3

Test set: Average loss: 1.9000, Accuracy: 4000/10000 (40%)

Train Epoch: 2 [0/60000 (0%)]\tLoss: 1.200000 Acc: 0.6
Train Epoch: 2 [640/60000 (1%)]\tLoss: 1.000000 Acc: 0.6

Test set: Average loss: 1.2000, Accuracy: 5000/10000 (50%)
"""
BARS = """Epoch 1: 100%|█| 9/9 [00:12<00:00, 75.3it/s, loss=2.1, acc=0.3, val_loss=1.9, val_acc=0.4]
Epoch 2: 100%|█| 9/9 [00:12<00:00, 75.3it/s, loss=1.1, acc=0.6, val_loss=1.2, val_acc=0.5]
"""
DECIMAL_COMMAS = """epoch 1; train loss 2,10; train acc 30,0 %; test loss 1,90; test acc 40,0 %
epoch 2; train loss 1,10; train acc 60,0 %; test loss 1,20; test acc 50,0 %
"""
MARKDOWN = """| epoch | train_loss | train_acc | valid_loss | valid_acc |
|-------|-----------:|:---------:|------------|-----------|
| 1     | 2.1        | 0.3       | 1.9        | 0.4       |
| 2     | 1.1        | 0.6       | 1.2        | 0.5       |
"""
NOTEBOOK = """Epoch  Training Loss  Training Accuracy  Validation Loss  Validation Accuracy
1      2.1            0.3                1.9              0.4
2      1.1            0.6                1.2              0.5
"""
TERMINAL_TABLE = """
┏━━━━━━━┳━━━━━━┳━━━━━┳━━━━━━━━━━┳━━━━━━━━━┓
┃ epoch ┃ loss ┃ acc ┃ val_loss ┃ val_acc ┃
┡━━━━━━━╇━━━━━━╇━━━━━╇━━━━━━━━━━╇━━━━━━━━━┩
│ 1     │ 2.1  │ 0.3 │ 1.9      │ 0.4     │
│ 2     │ 1.1  │ 0.6 │ 1.2      │ 0.5     │
└───────┴──────┴─────┴──────────┴─────────┘
"""
DATA_FRAME = """   loss  acc  val_loss  val_acc
0   2.1  0.3       1.9      0.4
1   1.1  0.6       1.2      0.5
"""
LONG_FORM = """epoch,phase,loss,acc
1,train,2.1,0.3
1,val,1.9,0.4
2,train,1.1,0.6
2,val,1.2,0.5
"""
LONG_RECORDS = """{"env": "python"}
{"mode": "train", "epoch": 1, "loss": 2.1, "acc": 0.3}
{"mode": "val", "epoch": 1, "loss": 1.9, "acc": 0.4}
{"mode": "train", "epoch": 2, "loss": 1.1, "acc": 0.6}
{"mode": "val", "epoch": 2, "loss": 1.2, "acc": 0.5}
"""
RESULTS = """Training Results - Epoch: 1  Avg accuracy: 0.30 Avg loss: 2.10
Validation Results - Epoch: 1  Avg accuracy: 0.40 Avg loss: 1.90
Training Results - Epoch: 2  Avg accuracy: 0.60 Avg loss: 1.10
Validation Results - Epoch: 2  Avg accuracy: 0.50 Avg loss: 1.20
"""
EXCEL = """sep=;
Epoche;loss;acc %;val_loss;val_acc %
1;2,1;30,0 %;1,9;40,0 %
2;1,1;60,0 %;1,2;50,0 %
"""
LISTS = """train_losses = [2.1, 1.1]
val_losses = np.array([1.9, 1.2])
train_accs: [0.3, 0.6]
val_accs=[0.4,
          0.5]
"""
PRINTED_HISTORY = """>>> print(history.history)
{'loss': [2.1, 1.1], 'acc': [0.3, 0.6], 'val_loss': [1.9, 1.2], 'val_acc': [0.4, 0.5]}
"""
TRAINER = """{'loss': 2.1, 'acc': 0.3, 'epoch': 1.0}
 50%|█████     | 1/2 [00:10<00:10]\r{'eval_loss': 1.9, 'eval_acc': 0.4, 'epoch': 1.0}
{'loss': 1.1, 'acc': 0.6, 'epoch': 2.0}
{'eval_loss': 1.2, 'eval_acc': 0.5, 'epoch': 2.0}
{'train_runtime': 100.0, 'train_loss': 7.0, 'epoch': 2.0}
"""
LOGS = {
    "keras 2": KERAS_2,
    "keras 3": KERAS_3,
    "keras bar": KERAS_BAR,
    "phases": PHASES,
    "two lines": TWO_LINES,
    "mnist example": MNIST_EXAMPLE,
    "bars": BARS,
    "decimal commas": DECIMAL_COMMAS,
    "markdown": MARKDOWN,
    "notebook": NOTEBOOK,
    "terminal table": TERMINAL_TABLE,
    "data frame": DATA_FRAME,
    "long form": LONG_FORM,
    "long records": LONG_RECORDS,
    "results": RESULTS,
    "excel": EXCEL,
    "lists": LISTS,
    "printed history": PRINTED_HISTORY,
    "trainer": TRAINER,
}


@pytest.mark.parametrize("name", LOGS)
def test_pasted_log_gives_the_four_curves(tmp_path, name):
    path = tmp_path / "pasted.txt"
    path.write_text(LOGS[name], encoding="utf-8")

    history = History.read(path)

    np.testing.assert_allclose(history.train_loss, [2.1, 1.1])
    np.testing.assert_allclose(history.train_accuracy, [0.3, 0.6])
    np.testing.assert_allclose(history.val_loss, [1.9, 1.2])
    np.testing.assert_allclose(history.val_accuracy, [0.4, 0.5])


@pytest.mark.parametrize(
    ("text", "train", "val"),
    [
        ("[0]\ttrain-logloss:0.5\teval-logloss:0.6\n[1]\ttrain-logloss:0.4\teval-logloss:0.5\n",
         [0.5, 0.4], [0.6, 0.5]),
        ("[0]\tvalidation_0-mlogloss:0.5\tvalidation_1-mlogloss:0.6\n"
         "[1]\tvalidation_0-mlogloss:0.4\tvalidation_1-mlogloss:0.5\n",
         [0.5, 0.4], [0.6, 0.5]),
        ("[1]\ttraining's binary_logloss: 0.5\tvalid_1's binary_logloss: 0.6\n"
         "[2]\ttraining's binary_logloss: 0.4\tvalid_1's binary_logloss: 0.5\n",
         [0.5, 0.4], [0.6, 0.5]),
        ("step 0: train loss 0.5, val loss 0.6\niter 0: loss 9, time 31132.80ms, mfu -100.00%\n"
         "step 250: train loss 0.4, val loss 0.5\n",
         [0.5, 0.4], [0.6, 0.5]),
    ],
)  # fmt: skip
def test_rounds_of_boosting_and_steps_are_the_axis(tmp_path, text, train, val):
    path = tmp_path / "log.txt"
    path.write_text(text)

    history = History.read(path)

    assert history.axis == "step"
    np.testing.assert_allclose(history.train_loss, train)
    np.testing.assert_allclose(history.val_loss, val)


def test_epoch_and_batch_in_brackets(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("[1,  2000] loss: 2.2\n[1,  4000] loss: 1.8\n[2,  2000] loss: 1.4\nFinished\n")

    history = History.read(path)

    np.testing.assert_array_equal(history.epochs, [1, 2])
    np.testing.assert_allclose(history.train_loss, [2.0, 1.4])
    assert not history.problems


def test_counts_of_right_answers_are_an_accuracy(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("Epoch 0: 9129 / 10000\nEpoch 1: 9295 / 10000\nEpoch 2: 9348 / 10000\n")

    np.testing.assert_allclose(History.read(path).val_accuracy, [0.9129, 0.9295, 0.9348])


def test_lines_between_printed_records_are_told(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("{'loss': 2.0}\nSaving model\n{'loss': 1.0}\nSaving model\n")

    assert [str(p) for p in History.read(path).problems] == [
        "line 2: 2 lines that are no records left out, the first of them"
    ]


def test_place_in_the_training_is_no_value(tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("Cost after iteration 0: 0.693\nCost after iteration 100: 0.584\n")

    history = History.read(path)

    np.testing.assert_array_equal(history.epochs, [0, 100])
    np.testing.assert_array_equal(history.train_loss, [0.693, 0.584])


def test_summary_with_a_star_is_of_validation_and_top_five_is_no_accuracy(tmp_path):
    path = tmp_path / "log.txt"
    epoch = "Epoch: [{e}][ 10/100]\tLoss {e}.5e+00 (7.0e+00)\tAcc@1   2.00 (  0.10)\tAcc@5  9.0\n"
    path.write_text("".join(epoch.format(e=e) + f" * Acc@1 {e}.1 Acc@5 15.2\n" for e in (3, 4)))

    history = History.read(path)

    np.testing.assert_allclose(history.train_loss, [3.5, 4.5])
    np.testing.assert_allclose(history.train_accuracy, [0.02, 0.02])
    np.testing.assert_allclose(history.val_accuracy, [0.031, 0.041])


def test_download_of_a_tensorboard_curve_is_named_by_its_file(tmp_path):
    for split, value in (("train", 2.0), ("validation", 3.0)):
        path = tmp_path / f"run-{split}-tag-epoch_loss.csv"
        path.write_text(f"Wall time,Step,Value\n1700000000.1,0,{value}\n1700000001.1,1,1.0\n")

    history = History.read(tmp_path)

    np.testing.assert_array_equal(history.train_loss, [2.0, 1.0])
    np.testing.assert_array_equal(history.val_loss, [3.0, 1.0])
