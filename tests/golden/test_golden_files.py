"""The comparison itself: it fails on any difference, and no golden file is left over."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from tests.golden import golden_files
from tests.golden.readme_blocks import blocks
from tests.golden.structures import masked, of_figure
from tests.support import ROOT

BUGS = {path.stem for path in (ROOT / "docs" / "bugs").glob("*.md")} - {"README"}
EXAMPLES = {path.stem for path in (ROOT / "examples").glob("*.py")}
SCENARIOS = {
    "demo",
    *(f"bugs/{code}" for code in BUGS),
    *(f"examples/{name}" for name in EXAMPLES - {"properties_pytest"}),
    *(f"pictures/{name}" for name in ("diagnostics", "investigate", "question", "shown")),
    *(f"readme/block_{n:02}" for n, block in enumerate(blocks()) if block.kind != "report"),
}
STRUCTURES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_every_golden_file_is_compared():
    found = {
        path.relative_to(golden_files.FOLDER).with_suffix("").as_posix()
        for path in golden_files.FOLDER.rglob("*.json")
    }

    assert found == SCENARIOS


@given(STRUCTURES, STRUCTURES)
def test_what_was_written_is_accepted_and_nothing_else(tmp_path_factory, one, other):
    assume(repr(one) != repr(other))  # 1 and True are equal
    folder = tmp_path_factory.mktemp("golden")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(golden_files, "FOLDER", folder)

        with pytest.raises(AssertionError, match="missing"):
            golden_files.compare("scenario", one, update=False)
        golden_files.compare("scenario", one, update=True)
        golden_files.compare("scenario", one, update=False)
        with pytest.raises(AssertionError, match="--update-golden"):
            golden_files.compare("scenario", other, update=False)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("1 ± 2e-11 along 4 directions", "1 ± # along 4 directions"),
        ("0.28\n  of 30 entries", "# of 30 entries"),
        ("layers.py:16: `x.sum(axis=-1)`", "layers.py:16: `x.sum(axis=-1)`"),
        ("best loss 0.346 at 8", "best loss # at #"),
        ("loss_accuracy_divergence from epoch 2", "loss_accuracy_divergence from epoch 2"),
        ("confidence 99%, over 99 % sure", "confidence #%, over 99 % sure"),
        ("W1 and b2, -3.5e+07", "W1 and b2, #"),
    ],
)
def test_measured_numbers_are_left_out_and_whole_ones_kept(text, kept):
    assert masked(text) == kept


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False))
def test_a_text_is_the_same_whatever_was_measured(one, other):
    assume("." in f"{one}" or "e" in f"{one}")
    assume(str(other) != "inf")
    assume(str(other) != "-inf")

    assert masked(f"off by {one} in b") == masked(f"off by {other} in b")


def test_a_change_of_any_artist_is_a_change_of_structure():
    def drawn(*changes):
        figure = Figure()
        axis = figure.subplots()
        axis.plot([1, 2], [1, 2], label="loss")
        for change in changes:
            change(figure, axis)
        return of_figure(figure)

    changes = [
        lambda figure, axis: axis.plot([1, 2], [2, 1]),
        lambda figure, axis: axis.axvspan(1, 2),
        lambda figure, axis: axis.axvspan(1, 1.5),
        lambda figure, axis: axis.bar([1, 2], [1, 2]),
        lambda figure, axis: axis.scatter([1], [1]),
        lambda figure, axis: axis.imshow([[1, 2]]),
        lambda figure, axis: axis.annotate("overfitting", (1, 1)),
        lambda figure, axis: axis.set_title("run", loc="left"),
        lambda figure, axis: axis.set_ylabel("accuracy"),
        lambda figure, axis: axis.set_yscale("log"),
        lambda figure, axis: axis.legend(),
        lambda figure, axis: figure.legend(["loss"]),
        lambda figure, axis: figure.suptitle("run"),
        lambda figure, axis: figure.add_subplot(2, 2, 4),
    ]
    structures = [drawn(), *(drawn(change) for change in changes)]

    assert all(one != other for n, one in enumerate(structures) for other in structures[:n])
