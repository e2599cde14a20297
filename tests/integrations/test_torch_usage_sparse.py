"""Complex and sparse tensors, and what is rare in PyTorch: a right and a wrong backward of each."""

import pytest

from tests.support.torch_usage import (
    LINKS,
    drawn,
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
def complex_tensors(link):
    return lambda z: link(z) * z, drawn(4, 3) + 1j * drawn(4, 3, seed=1)


@CASES
def conjugated_inputs(link):
    return lambda z: link(z).abs().pow(2), (drawn(4, 3) + 1j * drawn(4, 3, seed=1)).conj()


@CASES
def sparse_coo(link):
    a = drawn(4, 3)
    a = (a * (a > 0)).to_sparse()
    return lambda a, x: link(torch.sparse.mm(a, x)), a, drawn(3, 2)


@CASES
def sparse_csr(link):
    a = drawn(4, 3)
    a = (a * (a > 0)).to_sparse_csr()
    return lambda a, x: link(a @ x), a, drawn(3, 2)


@CASES
def sparse_output(link):
    return lambda x: link(x).to_sparse(), drawn(4, 3)


@CASES
def tensor_subclass(link):
    class Named(torch.Tensor):
        pass

    return lambda x: link(x).sin(), drawn(4, 3).as_subclass(Named)


@CASES
def strided_input(link):
    return lambda x: link(x).sin(), drawn(3, 4).T


@CASES
def expanded_input(link):
    return lambda x: link(x).sin(), drawn(1, 4).expand(3, 4)


@CASES
def numbers_among_inputs(link):
    return lambda x, scale: link(x) * scale, drawn(4, 3), 2.5


@CASES
def generator_argument(link):
    def noisy(x, generator):
        return link(x) * torch.rand(x.shape, generator=generator, dtype=x.dtype)

    return noisy, drawn(4, 3), torch.Generator().manual_seed(0)


@CASES
def in_place_function(link):
    return lambda x: link(x).sin_(), drawn(4, 3)


@CASES
def half_precision_function(link):
    return lambda x: link(x).sin(), drawn(4, 3, dtype=torch.float16)


@CASES
def empty_parameter_list(link):
    return lambda x, ps: link(x) + sum(ps), drawn(4, 3), []


@CASES
def set_in_settings(link):
    return lambda x, device: link(x).to(device), drawn(4, 3), torch.device("cpu")


@CASES
def mapping_view(link):
    from types import MappingProxyType

    return lambda p: link(p["w"]).sin(), MappingProxyType({"w": drawn(4, 3)})


@CASES
def size_and_int_tuple(link):
    return lambda x, shape: link(x).reshape(shape), drawn(4, 3), torch.Size([3, 4])


@pytest.mark.parametrize("name", CASES)
def test_the_right_passes_and_the_wrong_fails(name):
    assert_judged(CASES[name], LINKS)
