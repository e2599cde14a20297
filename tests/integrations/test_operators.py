"""PyTorch's own operators, on its own samples, as an impartial judge of false alarms."""

import warnings

import pytest

pytest.importorskip("torch", reason="the extra `integrations` is not installed")
pytest.importorskip("expecttest", reason="the extra `integrations` is not installed")
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from benchmarks.operators import TRUE_FINDS, judged, ours, samples

# Kinds that were false alarms once: outputs beside the differentiated one, a saturated forward, a
# claim rounded in the log domain, a fine staircase, repeated writes, draws.
KINDS = (
    "native_layer_norm",
    "native_batch_norm",
    "_batch_norm_with_update",
    "special.ndtr",
    "logcumsumexp",
    "round",
    "nn.functional.max_unpool3d",
    "normal",
    "bernoulli",
    "multi_head_attention_forward",
    "scaled_dot_product_attention",
)

# One in so many of all the others: what a minute holds.
EVERY = 15


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_false_alarm_of_a_known_kind(kind, dtype):
    for sample in samples(dtype, 1, kind):
        row = judged(ours, sample)
        assert row.verdict in ("PASS", "UNDECIDED"), f"{sample.name}: {row.reason}"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_false_alarm_on_a_slice_of_all_operators(dtype):
    rows = [judged(ours, sample) for sample in samples(dtype, every=EVERY)]
    wrong = [row for row in rows if row.verdict in ("FAIL", "raised")]
    undecided = [row for row in rows if row.verdict == "UNDECIDED"]

    assert not [r for r in wrong if r.sample.name not in TRUE_FINDS], wrong
    assert len(undecided) <= 0.1 * len(rows), undecided


def test_a_slope_rounded_to_single_precision_is_found():
    (sample,) = samples("float64", 1, "nn.functional.hardsigmoid")

    assert judged(ours, sample).verdict == "FAIL"
