"""PyTorch's modules as people use them: a right and a wrong backward of each."""

import pytest

from tests.support.torch_usage import (
    LINKS,
    Linear,
    drawn,
    factor_of,
    function,
    nn,
    torch,
)
from tests.support.usage import Cases, assert_judged

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta"),
    pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning"),
]

CASES = Cases()


@CASES
def module(link):
    return Linear(link), drawn(4, 3)


@CASES
def module_with_keyword_only_argument(link):
    class Net(Linear):
        def forward(self, x, *, scale=2.0):
            return super().forward(x) * scale

    return Net(link), drawn(4, 3)


@CASES
def module_in_training_mode(link):
    class Net(Linear):
        def forward(self, x):
            return nn.functional.dropout(super().forward(x), 0.5, self.training)

    return Net(link), drawn(6, 3)


@CASES
def module_with_batch_norm(link):
    return Linear(link, lambda layer: nn.Sequential(layer, nn.BatchNorm1d(2).double())), drawn(6, 3)


@CASES
def module_with_batch_norm_in_evaluation(link):
    layer = Linear(link, lambda layer: nn.Sequential(layer, nn.BatchNorm1d(2).double()))
    return layer.eval(), drawn(6, 3)


@CASES
def module_with_weight_norm(link):
    return Linear(link, nn.utils.parametrizations.weight_norm), drawn(4, 3)


@CASES
def module_with_spectral_norm(link):
    # in training its power iteration moves with the weight, which the gradient leaves out
    return Linear(link, nn.utils.parametrizations.spectral_norm).eval(), drawn(4, 3)


@CASES
def module_with_orthogonal_weight(link):
    return Linear(link, nn.utils.parametrizations.orthogonal), drawn(4, 3)


@CASES
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


@CASES
def module_with_hooks(link):
    net = Linear(lambda t: t)
    net.layer.register_forward_hook(lambda module, inputs, output: link(output))
    net.layer.register_forward_pre_hook(lambda module, inputs: (inputs[0] * 2,))
    return net, drawn(4, 3)


@CASES
def module_with_backward_hook(link):
    net = Linear(lambda t: t)
    factor = factor_of(link)
    net.layer.register_full_backward_hook(lambda module, gi, go: (factor * gi[0],))
    return net, drawn(4, 3)


@CASES
def module_with_tensor_hook(link):
    net = Linear(lambda t: t)
    factor = factor_of(link)
    net.layer.weight.register_hook(lambda g: factor * g)
    return net, drawn(4, 3)


@CASES
def module_compiled(link):
    return torch.compile(Linear(link), backend="eager"), drawn(4, 3)


@CASES
def function_compiled(link):
    return torch.compile(lambda x, w: link(x @ w), backend="eager"), drawn(4, 3), drawn(3, 2)


@CASES
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


@CASES
def module_in_a_closure(link):
    net = Linear(link)
    return lambda x: net(x).pow(2).mean(), drawn(4, 3)


@CASES
def method_of_a_module(link):
    class Net(Linear):
        def loss(self, x, y):
            return (self(x) - y).pow(2).mean()

    return Net(link).loss, drawn(4, 3), drawn(4, 2)


@CASES
def module_embedding(link):
    class Net(nn.Module):
        def __init__(self, sparse):
            super().__init__()
            torch.manual_seed(0)
            self.table = nn.Embedding(5, 3, sparse=sparse).double()

        def forward(self, rows):
            return link(self.table(rows))

    return Net(False), torch.tensor([0, 2, 2])


@CASES
def module_embedding_with_sparse_gradients(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.table = nn.Embedding(5, 3, sparse=True).double()

        def forward(self, rows):
            return link(self.table(rows))

    return Net(), torch.tensor([0, 2, 2])


@CASES
def module_lazy(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layer = nn.LazyLinear(2, dtype=torch.float64)

        def forward(self, x):
            return link(self.layer(x))

    return Net(), drawn(4, 3)


@CASES
def module_half(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layer = nn.Linear(3, 2).to(torch.bfloat16)

        def forward(self, x):
            return link(self.layer(x))

    return Net(), drawn(4, 3, dtype=torch.bfloat16)


@CASES
def module_partly_frozen(link):
    net = Linear(link)
    net.layer.bias.requires_grad_(False)
    return net, drawn(4, 3)


@CASES
def module_transformer_layer(link):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True).double()

        def forward(self, x):
            return link(self.layer(x))

    return Net(), drawn(2, 3, 4)


@CASES
def vmapped_function(link):
    def backward(ctx, g):
        return factor_of(link) * g

    made = function(
        forward=lambda x: x.clone(), setup_context=lambda ctx, i, o: None, backward=backward
    )
    made.generate_vmap_rule = True
    return torch.func.vmap(lambda x: (made.apply(x) ** 2).sum()), drawn(4, 3)


@CASES
def checkpointed(link):
    from torch.utils.checkpoint import checkpoint

    return lambda x: checkpoint(lambda t: link(t.sin()), x, use_reentrant=False), drawn(4, 3)


@CASES
def without_grad_inputs_that_require(link):
    return lambda x: link(x).sin(), drawn(4, 3).requires_grad_()


@CASES
def inputs_with_history(link):
    return lambda x: link(x).sin(), drawn(4, 3).requires_grad_() * 2


@CASES
def loss_module(link):
    class Loss(nn.Module):
        def forward(self, logits, labels):
            return nn.functional.cross_entropy(link(logits), labels)

    return Loss(), drawn(4, 3), torch.tensor([0, 2, 1, 1])


@pytest.mark.parametrize("name", CASES)
def test_the_right_passes_and_the_wrong_fails(name):
    assert_judged(CASES[name], LINKS)
