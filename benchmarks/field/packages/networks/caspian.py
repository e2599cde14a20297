"""caspian-ml: activations of ``(data, err)``, layers that descend in backward, static losses."""

from typing import Any

import numpy as np

from benchmarks.field.item import RIGHT, UNDECIDABLE, WRONG, Item, Package
from benchmarks.field.made import binary, drawn, load, new, normal, one_hot, simplex, uniform
from benchmarks.field.readings import Reading, elementwise, every, layer, loss


def _activation(name: str, truth: str = RIGHT, x: Any = None, **known: Any) -> Item:
    return Item(
        name,
        new(f"caspian.activations:{name}", given=(x or normal(5, 4, scale=2.0),)),
        elementwise("forward", "backward"),
        (f"caspian.activations.{name}:{name}.backward",),
        truth,
        **known,
    )


def _of_output(name: str, truth: str = RIGHT, **known: Any) -> Item:
    """Return an activation whose backward takes its output."""

    def read(thing: Any, x: np.ndarray) -> Reading:
        return Reading(
            lambda: thing.forward(x), lambda c: [c * thing.backward(thing.forward(x))], [x]
        )

    functions = (f"caspian.activations.{name}:{name}.backward",)
    make = new(f"caspian.activations:{name}", given=(normal(5, 4),))
    return Item(name, make, read, functions, truth, **known)


def _remembering(name: str, **known: Any) -> Item:
    """Return an activation whose backward looks at no argument."""

    def read(thing: Any, x: np.ndarray) -> Reading:
        def gradients(cotangent: Any) -> list:
            thing.forward(x)
            return [cotangent * thing.backward(x)]

        return Reading(lambda: thing.forward(x), gradients, [x])

    functions = (f"caspian.activations.{name}:{name}.backward",)
    return Item(
        name, new(f"caspian.activations:{name}", given=(normal(5, 4),)), read, functions, **known
    )


def _loss(name: str, labels: Any, x: Any, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"caspian.losses:{name}", given=(labels, x)),
        loss("forward", "backward", at=1),
        (f"caspian.losses.{name}:{name}.backward",),
        truth,
        **known,
    )


def _layer(name: str, *arguments: Any, x: Any, **options: Any) -> Item:
    truth, known = options.pop("truth", RIGHT), options.pop("known", {})
    several = options.pop("several", False)
    first = {"first": every} if several else {}
    return Item(
        name,
        new(f"caspian.layers:{name}", *arguments, given=x, **options),
        layer(more=(True,), **first),
        (f"caspian.layers.{name}:{name}.backward",),
        truth,
        **known,
    )


def _dense(activation: str) -> Item:
    def make() -> tuple:
        function = load(f"caspian.activations:{activation}")()
        return (load("caspian.layers:Dense")(function, 4, 3), *drawn((normal(5, 4),)))

    return Item(
        f"Dense of {activation}",
        make,
        layer(more=(True,)),
        ("caspian.layers.Dense:Dense.backward",),
    )


def _bilinear() -> tuple:
    function = load("caspian.activations:Sigmoid")()
    return (
        load("caspian.layers:Bilinear")(function, 4, 5, 3),
        *drawn((normal(6, 4), normal(6, 5))),
    )


PACKAGE = Package(
    "caspian-ml==1.1.0",
    (
        _of_output("ELU"),
        _of_output("HardShrink"),
        _activation("HardSigmoid", x=normal(5, 4, scale=4.0)),
        _activation("HardSwish", x=normal(5, 4, scale=4.0)),
        _activation("HardTanh"),
        _activation("Identity"),
        _activation("LReLU"),
        _activation("PReLU"),
        _activation("ReLU"),
        _activation("ReLUX", x=normal(5, 4, scale=6.0)),
        _activation("Softplus"),
        _of_output("Sigmoid"),
        _of_output("Tanh"),
        _remembering("Softsign"),
        _remembering("Swish"),
        _dense("Sigmoid"),
        _dense("Tanh"),
        _dense("ReLU"),
        Item(
            "Bilinear",
            _bilinear,
            layer(more=(True,), first=every),
            ("caspian.layers.Bilinear:Bilinear.backward",),
            WRONG,
            line=("first_ret_grad = np.einsum", "second_ret_grad = np.einsum"),
        ),
        _layer(
            "Linear",
            4,
            3,
            x=(normal(5, 4),),
            truth=WRONG,
            known={"line": "new_err = cost_err * self.__last_out"},
        ),
        _layer("LayerNorm", (6,), x=(normal(5, 6),)),
        _layer(
            "RMSNorm",
            (6,),
            x=(normal(5, 6),),
            truth=WRONG,
            known={
                "line": "ret_grad = shaped_err",
                "names": ("jacobian_diagonal_only", "path_missing"),
            },
        ),
        _layer(
            "BatchNorm",
            4,
            1,
            x=(normal(6, 4),),
            truth=WRONG,
            known={
                "line": ("d_m = (shaped_err", "ret_grad = shaped_err * self.__last_v", "+ d_m *")
            },
        ),
        _layer(
            "GroupNorm",
            2,
            4,
            2,
            x=(normal(3, 4, 5),),
            truth=WRONG,
            known={
                "line": ("ret_grad = (shaped_err", "self.__norm_res * (shaped_err"),
                "names": ("wrong_axis",),
            },
        ),
        _layer(
            "Upsampling1D",
            2,
            x=(normal(2, 3, 4),),
            truth=WRONG,
            known={
                "line": "ret_grad = cost_err.reshape",
                "names": ("wrong_index", "wrong_axis", "samples_mixed"),
            },
        ),
        _loss("MeanSquareErr", normal(5, 3), normal(5, 3)),
        _loss("MeanAvgErr", normal(5, 3), normal(5, 3)),
        _loss(
            "BinaryCrossEntropy",
            binary(6, 1),
            uniform(6, 1),
            WRONG,
            names=("gradient_of_other_loss",),
            line="return prediction - actual",
        ),
        _loss(
            "CrossEntropy",
            one_hot(6, 4),
            simplex(6, 4),
            WRONG,
            names=("gradient_of_other_loss",),
            line="return (prediction - actual)",
        ),
        _loss(
            "Huber",
            normal(5, 3),
            normal(5, 3),
            WRONG,
            names=("wrong_shape", "summed_to_scalar", "sign_flipped"),
            line=("first_cond =", "sec_cond =", "return np.mean(np.where"),
        ),
        # its gradient is that by the first argument; all others of the package have the second
        _loss("KLDivergence", simplex(5, 3), simplex(5, 3), UNDECIDABLE),
        _loss(
            "Direct",
            normal(5, 3),
            normal(5, 3),
            WRONG,
            names=("gradient_of_other_loss",),
            line="return prediction - actual",
        ),
    ),
)
