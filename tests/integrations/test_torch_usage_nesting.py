"""Arguments and results of PyTorch code, nested in any way: each with a right and a wrong one."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from tests.support.torch_usage import (
    LINKS,
    drawn,
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


@CASES
def output_dict(link):
    return lambda x: {"a": x.sin(), "b": {"c": link(x)}}, drawn(4, 3)


@CASES
def output_list(link):
    return lambda x: [x.sin(), [link(x)]], drawn(4, 3)


@CASES
def output_nested_tuple(link):
    return lambda x: (x.sin(), (link(x), x.cos())), drawn(4, 3)


@CASES
def output_named_tuple(link):
    return lambda x: Point(x.sin(), link(x)), drawn(4, 3)


@CASES
def output_dataclass(link):
    return lambda x: Output(link(x)), drawn(4, 3)


@CASES
def output_with_none(link):
    return lambda x: (link(x), None), drawn(4, 3)


@CASES
def output_with_a_number(link):
    return lambda x: (link(x), 3), drawn(4, 3)


@CASES
def output_model_output(link):
    return lambda x: ModelOutput(loss=None, logits=link(x), states=(x.sin(), x.cos())), drawn(4, 3)


@CASES
def output_registered(link):
    return lambda x: Registered(x.sin(), link(x)), drawn(4, 3)


@CASES
def input_registered(link):
    return lambda p: p.a @ link(p.b), RegisteredState(drawn(4, 3), drawn(3, 2))


@CASES
def input_model_output(link):
    return lambda p: link(p["a"]) @ p.b, ModelOutput(a=drawn(4, 3), b=drawn(3, 2))


@CASES
def input_list_of_dicts(link):
    return (
        lambda ps, x: link(x @ ps[0]["w"]) + ps[1]["b"],
        [{"w": drawn(3, 2)}, {"b": drawn(2)}],
        drawn(4, 3),
    )


@CASES
def output_torch_max(link):
    return lambda x: link(x).max(dim=1), drawn(4, 3)


@CASES
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


@CASES
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


@CASES
def packed_sequence_in_and_out(link):
    torch.manual_seed(0)
    rnn = nn.GRU(3, 2).double()

    def run(packed):
        y, _ = rnn(packed)
        return y._replace(data=link(y.data))

    return run, nn.utils.rnn.pack_padded_sequence(drawn(5, 2, 3), torch.tensor([5, 3]))


@pytest.mark.parametrize("name", CASES)
def test_the_right_passes_and_the_wrong_fails(name):
    assert_judged(CASES[name], LINKS)
