"""dl-with-numpy: layers that take and leave everything in attributes."""

from typing import Any

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import new, normal
from benchmarks.field.readings import Reading


def _read(thing: Any, x: np.ndarray) -> Reading:
    values = [thing.weights] if hasattr(thing, "weights") else []

    def forward() -> Any:
        thing.input = x
        thing.forward_pass()
        return thing.output

    def gradients(cotangent: Any) -> list:
        forward()
        thing.dloss_dout = cotangent
        thing.backward_pass()
        thing.calc_param_grads()
        return [thing.dloss_din, *([thing.dloss_dweights] if values else [])]

    return Reading(forward, gradients, [x, *values])


PACKAGE = Package(
    "dl-with-numpy==0.0.3",
    (
        Item(
            "LinearLayer",
            new("dl_with_numpy.linear_layer:LinearLayer", 4, 3, given=(normal(5, 4),)),
            _read,
            (
                "dl_with_numpy.linear_layer:LinearLayer.backward_pass",
                "dl_with_numpy.linear_layer:LinearLayer.calc_param_grads",
            ),
        ),
        Item(
            "SigmoidActivation",
            new("dl_with_numpy.activation_functions:SigmoidActivation", 4, given=(normal(5, 4),)),
            _read,
            (
                "dl_with_numpy.activation_functions:SigmoidActivation.backward_pass",
                "dl_with_numpy.activation_functions:SigmoidActivation.sigmoid_derivative",
            ),
        ),
    ),
)
