"""Another process is told how frameworks are set to compute in this one."""

import sys

import pytest

from gradcheck.state.framework_modes import modes, set_modes

pytestmark = pytest.mark.integration


def test_what_was_not_imported_has_no_modes(monkeypatch):
    for name in ("jax", "torch"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    assert modes() == {}


def test_the_default_dtype_of_torch_is_set_as_it_was():
    torch = pytest.importorskip("torch")
    before = modes()
    try:
        torch.set_default_dtype(torch.float64)
        wide = modes()
        set_modes(before)
        assert torch.get_default_dtype() is torch.float32
        set_modes(wide)
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
