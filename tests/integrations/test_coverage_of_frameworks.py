"""No PASS over a parameter that nobody looked at, in modules of PyTorch and pytrees of JAX."""

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck import Verdict
from tests.support.generated_functions import CONTAINERS, container, contents
from tests.support.generated_layers import backward_steps, forward_steps, plans

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
jax = pytest.importorskip("jax", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

# JAX traces every function anew, which takes a second for each.
FEW = settings(max_examples=8)

TORCH_HOMES = ("attribute", "dict", "list", "submodule", "unregistered", "closure")


@pytest.fixture(autouse=True, scope="module")
def _in_float64():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def module_of(plan):
    """Return a module whose parameters are kept as drawn, all used in one autograd function."""

    class Steps(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, *values):
            ctx.values = [value.detach().numpy().copy() for value in values]
            ctx.entering, y = forward_steps(plan, ctx.values, x.detach().numpy())
            return torch.tensor(y)

        @staticmethod
        def backward(ctx, gradient):
            found, dx = backward_steps(plan, ctx.values, ctx.entering, gradient.numpy())
            spoiled = [plan.spoiled(i, own) for i, own in enumerate(found)]
            handed = [plan.spoiled(-1, dx), *spoiled]
            return tuple(None if g is None else torch.tensor(g) for g in handed)

    outside = {}

    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.by_name, self.in_row = torch.nn.ParameterDict(), torch.nn.ParameterList()
            self.part, self.held = torch.nn.Module(), {}
            self.places = {}
            for leaf, value in zip(plan.leaves, plan.values(), strict=True):
                self.keep(leaf, torch.nn.Parameter(torch.tensor(value)))

        def keep(self, leaf, parameter):
            if leaf.home == "attribute":
                setattr(self, leaf.name, parameter)
            elif leaf.home == "dict":
                self.by_name[leaf.name] = parameter
            elif leaf.home == "list":
                self.places[leaf.name] = len(self.in_row)
                self.in_row.append(parameter)
            elif leaf.home == "submodule":
                setattr(self.part, leaf.name, parameter)
            else:
                (self.held if leaf.home == "unregistered" else outside)[leaf.name] = parameter

        def kept(self, leaf):
            if leaf.home == "list":
                return self.in_row[self.places[leaf.name]]
            homes = {
                "attribute": lambda: getattr(self, leaf.name),
                "dict": lambda: self.by_name[leaf.name],
                "submodule": lambda: getattr(self.part, leaf.name),
                "unregistered": lambda: self.held[leaf.name],
                "closure": lambda: outside[leaf.name],
            }
            return homes[leaf.home]()

        def forward(self, x):
            return Steps.apply(x, *map(self.kept, plan.leaves))

    return Module()


def pytree_of(plan, kind):
    """Return a function with its own derivative, and the pytree of its parameters."""
    names = [leaf.name for leaf in plan.leaves]
    tanh = jax.numpy.tanh

    @jax.custom_vjp
    def function(p, x):
        return forward_steps(plan, contents(kind, names, p), x, tanh)[1]

    def forward(p, x):
        entering, y = forward_steps(plan, contents(kind, names, p), x, tanh)
        return y, (p, entering)

    def backward(kept, gradient):
        p, entering = kept
        found, dx = backward_steps(plan, contents(kind, names, p), entering, gradient, tanh)
        spoiled = [plan.spoiled(i, own) for i, own in enumerate(found)]
        return fill(p, spoiled), plan.spoiled(-1, dx)

    def fill(p, gradients):
        return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(p), ordered(gradients))

    def ordered(gradients):
        positions = container(kind, names, list(range(len(names))))
        return [gradients[i] for i in jax.tree_util.tree_leaves(positions)]

    function.defvjp(forward, backward)
    p = container(kind, names, [jax.numpy.asarray(value) for value in plan.values()])
    return function, p


KINDS = st.sampled_from([kind for kind in CONTAINERS if kind not in ("dataclass", "named tuple")])
FAULTS = ("zero", "sign", "factor", "one entry")  # a pytree has a gradient for every leaf


def failed(report):
    note(str(report))
    return [name for name, t in report.tensors.items() if t.verdict is Verdict.FAIL]


@given(plans(TORCH_HOMES))
def test_a_wrong_gradient_of_a_module_fails_wherever_its_parameter_is_kept(plan):
    report = gradcheck.check(module_of(plan), torch.tensor(plan.x()), explain=False)

    assert len(failed(report)) == 1


@given(plans(TORCH_HOMES, right=True))
def test_a_right_module_passes_wherever_its_parameters_are_kept(plan):
    report = gradcheck.check(module_of(plan), torch.tensor(plan.x()), explain=False)

    assert not failed(report)
    assert report.ok
    assert not report.unchecked
    assert len(report.tensors) == 1 + len(plan.leaves)


@FEW
@given(plans(("pytree",), FAULTS), KINDS)
def test_a_wrong_gradient_of_a_leaf_of_a_pytree_fails(plan, kind):
    function, p = pytree_of(plan, kind)

    assert len(failed(gradcheck.check(function, p, plan.x(), explain=False))) == 1


@FEW
@given(plans(("pytree",), right=True), KINDS)
def test_right_gradients_of_the_leaves_of_a_pytree_pass(plan, kind):
    function, p = pytree_of(plan, kind)
    report = gradcheck.check(function, p, plan.x(), explain=False)

    assert not failed(report)
    assert report.ok
    assert not report.unchecked
    assert len(report.tensors) == 1 + len(plan.leaves)
