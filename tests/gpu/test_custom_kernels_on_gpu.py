"""The kernels of the page are compiled for a GPU, and compared there."""

import pytest

from tests.support.kernel_page import ON_GPU, run, write

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU is present"),
]


def test_tests_of_the_page_pass_on_gpu(tmp_path):
    write(tmp_path)

    status, output = run(tmp_path, ON_GPU, interpret=False)

    assert status == 0, output
