"""What a block changed is put back however the block ends, also by Ctrl-C while it is put back."""

from __future__ import annotations

import pytest

from gradcheck.state import restored_at_end


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_it_is_put_back_however_the_block_ends(error: type[BaseException] | None) -> None:
    kept = ["before"]

    def restore() -> None:
        kept[:] = ["before"]

    def block() -> None:
        with restored_at_end(restore):
            kept[:] = ["changed"]
            if error is not None:
                raise error

    if error is None:
        block()
    else:
        with pytest.raises(error):
            block()
    assert kept == ["before"]


def test_what_ctrl_c_left_half_restored_is_restored_whole() -> None:
    kept, calls = ["before", "before"], 0

    def restore() -> None:
        nonlocal calls
        calls += 1
        kept[0] = "before"
        if calls == 1:
            raise KeyboardInterrupt
        kept[1] = "before"

    with pytest.raises(KeyboardInterrupt), restored_at_end(restore):
        kept[:] = ["changed", "changed"]
    assert kept == ["before", "before"]
