"""PyTorch as people use it: every form judged, with a right and a wrong backward in each.

A case is a function of ``link``, an identity that the case puts somewhere into its forward. Its
backward is right, or gives 1.25 times the gradient: so no PASS is one of something unseen.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]
nn = torch.nn


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape)).to(dtype)


class Right(torch.autograd.Function):
    """Returns what it is given."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return g


class Wrong(Right):
    """The same, with too much of the gradient."""

    @staticmethod
    def backward(ctx, g):
        return 1.25 * g


RIGHT, WRONG = Right.apply, Wrong.apply


class Linear(nn.Module):
    """A linear map whose output goes through ``link``."""

    def __init__(self, link, wrap=lambda layer: layer):
        super().__init__()
        torch.manual_seed(0)
        self.layer = wrap(nn.Linear(3, 2).double())
        self.link = link

    def forward(self, x):
        return self.link(self.layer(x))


CASES = {}


def case(make):
    CASES[make.__name__] = make
    return make


# Functions --------------------------------------------------------------------------------------


def function(**members):
    """Return an autograd function with these static methods."""
    return type(
        "Custom", (torch.autograd.Function,), {k: staticmethod(v) for k, v in members.items()}
    )


def factor_of(link):
    return 1.25 if link is WRONG else 1.0


@case
def function_with_setup_context(link):
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w.T, factor_of(link) * x.T @ g

    made = function(forward=lambda x, w: x @ w, setup_context=setup_context, backward=backward)
    return made, drawn(4, 3), drawn(3, 2, seed=1)


@case
def function_with_other_arguments(link):
    def forward(ctx, x, scale, mode, shift=None):
        ctx.scale = scale
        return x * scale if mode == "mul" else x

    def backward(ctx, g):
        return factor_of(link) * g * ctx.scale, None, None, None

    return function(forward=forward, backward=backward), drawn(4, 3), 3, "mul", None


@case
def function_with_a_missing_bias(link):
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w if b is None else x @ w + b

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return g @ w.T, factor_of(link) * x.T @ g, None

    return function(forward=forward, backward=backward), drawn(4, 3), drawn(3, 2), None


@case
def function_that_asks_what_is_needed(link):
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        return (
            g @ w.T if ctx.needs_input_grad[0] else None,
            factor_of(link) * x.T @ g if ctx.needs_input_grad[1] else None,
        )

    return function(forward=forward, backward=backward), drawn(4, 3), drawn(3, 2)


@case
def function_that_marks_dirty(link):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2.0)

    made = function(forward=forward, backward=lambda ctx, g: factor_of(link) * 2 * g)
    return lambda x: made.apply(x.clone()), drawn(4, 3)


@case
def function_with_an_output_not_differentiable(link):
    def forward(ctx, x):
        values, positions = x.max(dim=1)
        ctx.save_for_backward(positions)
        ctx.shape = x.shape
        ctx.mark_non_differentiable(positions)
        return values, positions

    def backward(ctx, g, _):
        (positions,) = ctx.saved_tensors
        found = torch.zeros(ctx.shape, dtype=g.dtype)
        return found.scatter_(1, positions[:, None], factor_of(link) * g[:, None])

    return function(forward=forward, backward=backward), drawn(4, 3)


@case
def function_once_differentiable(link):
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return factor_of(link) * 2 * g

    return function(forward=lambda ctx, x: 2 * x, backward=backward), drawn(4, 3)


@case
def function_with_several_outputs(link):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin(), x.cos()

    def backward(ctx, g, h):
        (x,) = ctx.saved_tensors
        return factor_of(link) * g * x.cos() - h * x.sin()

    return function(forward=forward, backward=backward), drawn(4, 3)


@case
def function_that_materializes_no_gradients(link):
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x)
        return x.sin(), x.detach().cos()

    def backward(ctx, g, h):
        (x,) = ctx.saved_tensors
        total = torch.zeros_like(x)
        if g is not None:
            total = total + factor_of(link) * g * x.cos()
        return total if h is None else total - h * x.sin()

    return function(forward=forward, backward=backward), drawn(4, 3)


@case
def function_of_integers(link):
    def forward(ctx, table, rows):
        ctx.save_for_backward(rows)
        ctx.shape = table.shape
        return table[rows]

    def backward(ctx, g):
        (rows,) = ctx.saved_tensors
        return factor_of(link) * torch.zeros(ctx.shape, dtype=g.dtype).index_add_(0, rows, g), None

    return function(forward=forward, backward=backward), drawn(5, 3), torch.tensor([0, 2, 2, 4])


@case
def apply_of_a_function(link):
    return link, drawn(4, 3)


# Plain functions --------------------------------------------------------------------------------


@case
def lambda_of_tensors(link):
    return lambda x, w: link(x @ w).tanh(), drawn(4, 3), drawn(3, 2)


@case
def pair_of_functions(link):
    return (lambda x: (x**3).sum(), lambda x: factor_of(link) * 3 * x**2), drawn(4, 3)


@case
def pair_with_several_inputs(link):
    def gradients(x, w, g):
        return g @ w.T, factor_of(link) * x.T @ g

    return (lambda x, w: x @ w, gradients), drawn(4, 3), drawn(3, 2)


@case
def pair_in_a_dict(link):
    def gradients(p):
        return {"w": 2 * p["w"], "b": factor_of(link) * 3 * p["b"] ** 2}

    given = {"w": drawn(4, 3), "b": drawn(3)}
    return (lambda p: (p["w"] ** 2).sum() + (p["b"] ** 3).sum(), gradients), given


@case
def function_with_keyword_only_defaults(link):
    def scaled(x, *, scale=2.0):
        return link(x) * scale

    return scaled, drawn(4, 3)


@case
def function_with_a_bool_mask(link):
    return lambda x, keep: link(torch.where(keep, x, 0.0)), drawn(4, 3), drawn(4, 3, seed=1) > 0


@case
def function_of_numpy_arrays_and_tensors(link):
    return lambda x, w: link(x @ w), drawn(4, 3), np.random.default_rng(1).normal(size=(3, 2))


@case
def functional_partial(link):
    from functools import partial

    return partial(lambda w, x: link(x @ w), drawn(3, 2)), drawn(4, 3)


@case
def function_of_a_vector_and_star_arguments(link):
    return lambda *values: link(values[0] * values[1]), drawn(4), drawn(4, seed=1)


# Containers -------------------------------------------------------------------------------------


class Point(NamedTuple):
    w: object
    b: object


@dataclass
class Output:
    hidden: object
    extra: object = None


class ModelOutput(OrderedDict):
    """As transformers' one: keys, attributes and positions, None left out."""

    def __init__(self, **fields):
        super().__init__({k: v for k, v in fields.items() if v is not None})
        for key, value in fields.items():
            setattr(self, key, value)

    def __getitem__(self, key):
        if isinstance(key, str):
            return dict(self.items())[key]
        return tuple(self.values())[key]


class Registered:
    def __init__(self, a, b):
        self.a, self.b = a, b


class RegisteredState:
    def __init__(self, a, b):
        self.a, self.b = a, b


for kind in (Registered, RegisteredState):
    torch.utils._pytree.register_pytree_node(
        kind, lambda v: ([v.a, v.b], None), lambda parts, _, kind=kind: kind(*parts)
    )


@case
def output_dict(link):
    return lambda x: {"a": x.sin(), "b": {"c": link(x)}}, drawn(4, 3)


@case
def output_list(link):
    return lambda x: [x.sin(), [link(x)]], drawn(4, 3)


@case
def output_nested_tuple(link):
    return lambda x: (x.sin(), (link(x), x.cos())), drawn(4, 3)


@case
def output_named_tuple(link):
    return lambda x: Point(x.sin(), link(x)), drawn(4, 3)


@case
def output_dataclass(link):
    return lambda x: Output(link(x)), drawn(4, 3)


@case
def output_with_none(link):
    return lambda x: (link(x), None), drawn(4, 3)


@case
def output_with_a_number(link):
    return lambda x: (link(x), 3), drawn(4, 3)


@case
def output_model_output(link):
    return lambda x: ModelOutput(loss=None, logits=link(x), states=(x.sin(), x.cos())), drawn(4, 3)


@case
def output_registered(link):
    return lambda x: Registered(x.sin(), link(x)), drawn(4, 3)


@case
def input_registered(link):
    return lambda p: p.a @ link(p.b), RegisteredState(drawn(4, 3), drawn(3, 2))


@case
def input_model_output(link):
    return lambda p: link(p["a"]) @ p.b, ModelOutput(a=drawn(4, 3), b=drawn(3, 2))


@case
def input_list_of_dicts(link):
    return (
        lambda ps, x: link(x @ ps[0]["w"]) + ps[1]["b"],
        [{"w": drawn(3, 2)}, {"b": drawn(2)}],
        drawn(4, 3),
    )


@case
def output_torch_max(link):
    return lambda x: link(x).max(dim=1), drawn(4, 3)


@case
def module_lstm_with_state(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.lstm = nn.LSTM(3, 2).double()

        def forward(self, x, state):
            y, (h, c) = self.lstm(x, state)
            return link(y), (h, c)

    return Net(), drawn(5, 4, 3), (drawn(1, 4, 2), drawn(1, 4, 2, seed=3))


@case
def module_with_packed_sequence(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.rnn = nn.GRU(3, 2).double()

        def forward(self, x):
            packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3]))
            y, _ = self.rnn(packed)
            return link(nn.utils.rnn.pad_packed_sequence(y)[0])

    return Net(), drawn(5, 2, 3)


@case
def packed_sequence_in_and_out(link):
    torch.manual_seed(0)
    rnn = nn.GRU(3, 2).double()

    def run(packed):
        y, _ = rnn(packed)
        return y._replace(data=link(y.data))

    return run, nn.utils.rnn.pack_padded_sequence(drawn(5, 2, 3), torch.tensor([5, 3]))


# Modules ----------------------------------------------------------------------------------------


@case
def module(link):
    return Linear(link), drawn(4, 3)


@case
def module_with_keyword_only_argument(link):
    class Net(Linear):
        def forward(self, x, *, scale=2.0):
            return super().forward(x) * scale

    return Net(link), drawn(4, 3)


@case
def module_in_training_mode(link):
    class Net(Linear):
        def forward(self, x):
            return nn.functional.dropout(super().forward(x), 0.5, self.training)

    return Net(link), drawn(6, 3)


@case
def module_with_batch_norm(link):
    return Linear(link, lambda layer: nn.Sequential(layer, nn.BatchNorm1d(2).double())), drawn(6, 3)


@case
def module_with_batch_norm_in_evaluation(link):
    layer = Linear(link, lambda layer: nn.Sequential(layer, nn.BatchNorm1d(2).double()))
    return layer.eval(), drawn(6, 3)


@case
def module_with_weight_norm(link):
    return Linear(link, nn.utils.parametrizations.weight_norm), drawn(4, 3)


@case
def module_with_spectral_norm(link):
    # in training its power iteration moves with the weight, which the gradient leaves out
    return Linear(link, nn.utils.parametrizations.spectral_norm).eval(), drawn(4, 3)


@case
def module_with_orthogonal_weight(link):
    return Linear(link, nn.utils.parametrizations.orthogonal), drawn(4, 3)


@case
def module_with_tied_weights(link):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.encoder = nn.Linear(3, 3, bias=False).double()
            self.decoder = nn.Linear(3, 3, bias=False).double()
            self.decoder.weight = self.encoder.weight

        def forward(self, x):
            return self.decoder(link(self.encoder(x).tanh()))

    return Tied(), drawn(4, 3)


@case
def module_with_hooks(link):
    net = Linear(lambda t: t)
    net.layer.register_forward_hook(lambda module, inputs, output: link(output))
    net.layer.register_forward_pre_hook(lambda module, inputs: (inputs[0] * 2,))
    return net, drawn(4, 3)


@case
def module_with_backward_hook(link):
    net = Linear(lambda t: t)
    factor = factor_of(link)
    net.layer.register_full_backward_hook(lambda module, gi, go: (factor * gi[0],))
    return net, drawn(4, 3)


@case
def module_with_tensor_hook(link):
    net = Linear(lambda t: t)
    factor = factor_of(link)
    net.layer.weight.register_hook(lambda g: factor * g)
    return net, drawn(4, 3)


@case
def module_compiled(link):
    return torch.compile(Linear(link), backend="eager"), drawn(4, 3)


@case
def function_compiled(link):
    return torch.compile(lambda x, w: link(x @ w), backend="eager"), drawn(4, 3), drawn(3, 2)


@case
def module_of_a_list(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layers = nn.ModuleList(nn.Linear(3, 3).double() for _ in range(2))
            self.scales = nn.ParameterDict({"a": nn.Parameter(drawn(3))})

        def forward(self, x):
            for layer in self.layers:
                x = link(layer(x).tanh())
            return x * self.scales["a"]

    return Net(), drawn(4, 3)


@case
def module_in_a_closure(link):
    net = Linear(link)
    return lambda x: net(x).pow(2).mean(), drawn(4, 3)


@case
def method_of_a_module(link):
    class Net(Linear):
        def loss(self, x, y):
            return (self(x) - y).pow(2).mean()

    return Net(link).loss, drawn(4, 3), drawn(4, 2)


@case
def module_embedding(link):
    class Net(nn.Module):
        def __init__(self, sparse):
            super().__init__()
            torch.manual_seed(0)
            self.table = nn.Embedding(5, 3, sparse=sparse).double()

        def forward(self, rows):
            return link(self.table(rows))

    return Net(False), torch.tensor([0, 2, 2])


@case
def module_embedding_with_sparse_gradients(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.table = nn.Embedding(5, 3, sparse=True).double()

        def forward(self, rows):
            return link(self.table(rows))

    return Net(), torch.tensor([0, 2, 2])


@case
def module_lazy(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layer = nn.LazyLinear(2, dtype=torch.float64)

        def forward(self, x):
            return link(self.layer(x))

    return Net(), drawn(4, 3)


@case
def module_half(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layer = nn.Linear(3, 2).to(torch.bfloat16)

        def forward(self, x):
            return link(self.layer(x))

    return Net(), drawn(4, 3, dtype=torch.bfloat16)


@case
def module_partly_frozen(link):
    net = Linear(link)
    net.layer.bias.requires_grad_(False)
    return net, drawn(4, 3)


@case
def module_transformer_layer(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True).double()

        def forward(self, x):
            return link(self.layer(x))

    return Net(), drawn(2, 3, 4)


@case
def vmapped_function(link):
    def backward(ctx, g):
        return factor_of(link) * g

    made = function(
        forward=lambda x: x.clone(), setup_context=lambda ctx, i, o: None, backward=backward
    )
    made.generate_vmap_rule = True
    return torch.func.vmap(lambda x: (made.apply(x) ** 2).sum()), drawn(4, 3)


@case
def checkpointed(link):
    from torch.utils.checkpoint import checkpoint

    return lambda x: checkpoint(lambda t: link(t.sin()), x, use_reentrant=False), drawn(4, 3)


@case
def without_grad_inputs_that_require(link):
    return lambda x: link(x).sin(), drawn(4, 3).requires_grad_()


@case
def inputs_with_history(link):
    return lambda x: link(x).sin(), drawn(4, 3).requires_grad_() * 2


@case
def loss_module(link):
    class Loss(nn.Module):
        def forward(self, logits, labels):
            return nn.functional.cross_entropy(link(logits), labels)

    return Loss(), drawn(4, 3), torch.tensor([0, 2, 1, 1])


# Complex and sparse -----------------------------------------------------------------------------


@case
def complex_tensors(link):
    return lambda z: link(z) * z, drawn(4, 3) + 1j * drawn(4, 3, seed=1)


@case
def conjugated_inputs(link):
    return lambda z: link(z).abs().pow(2), (drawn(4, 3) + 1j * drawn(4, 3, seed=1)).conj()


@case
def sparse_coo(link):
    a = drawn(4, 3)
    a = (a * (a > 0)).to_sparse()
    return lambda a, x: link(torch.sparse.mm(a, x)), a, drawn(3, 2)


@case
def sparse_csr(link):
    a = drawn(4, 3)
    a = (a * (a > 0)).to_sparse_csr()
    return lambda a, x: link(a @ x), a, drawn(3, 2)


@case
def sparse_output(link):
    return lambda x: link(x).to_sparse(), drawn(4, 3)


@case
def tensor_subclass(link):
    class Named(torch.Tensor):
        pass

    return lambda x: link(x).sin(), drawn(4, 3).as_subclass(Named)


@case
def strided_input(link):
    return lambda x: link(x).sin(), drawn(3, 4).T


@case
def expanded_input(link):
    return lambda x: link(x).sin(), drawn(1, 4).expand(3, 4)


@case
def numbers_among_inputs(link):
    return lambda x, scale: link(x) * scale, drawn(4, 3), 2.5


@case
def generator_argument(link):
    def noisy(x, generator):
        return link(x) * torch.rand(x.shape, generator=generator, dtype=x.dtype)

    return noisy, drawn(4, 3), torch.Generator().manual_seed(0)


@case
def in_place_function(link):
    return lambda x: link(x).sin_(), drawn(4, 3)


@case
def half_precision_function(link):
    return lambda x: link(x).sin(), drawn(4, 3, dtype=torch.float16)


@case
def empty_parameter_list(link):
    return lambda x, ps: link(x) + sum(ps), drawn(4, 3), []


@case
def set_in_settings(link):
    return lambda x, device: link(x).to(device), drawn(4, 3), torch.device("cpu")


@case
def mapping_view(link):
    from types import MappingProxyType

    return lambda p: link(p["w"]).sin(), MappingProxyType({"w": drawn(4, 3)})


@case
def size_and_int_tuple(link):
    return lambda x, shape: link(x).reshape(shape), drawn(4, 3), torch.Size([3, 4])


@pytest.mark.parametrize("name", CASES)
def test_the_right_passes_and_the_wrong_fails(name):
    reports = []
    for link in (RIGHT, WRONG):
        thing, *inputs = CASES[name](link)
        reports.append(gradcheck.check(thing, *inputs, explain=False))
    right, wrong = reports

    assert right.verdict is Verdict.PASS, str(right)
    assert wrong.verdict is Verdict.FAIL, str(wrong)
