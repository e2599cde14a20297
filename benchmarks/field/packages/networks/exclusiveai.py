"""exclusiveAI: ``function`` and ``derivative``, static and kept in the instance."""

from typing import Any

from benchmarks.field.item import RIGHT, WRONG, Item, Package
from benchmarks.field.made import new, normal
from benchmarks.field.readings import elementwise, loss

COMPONENTS = "exclusiveAI.components"


def _activation(name: str, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"{COMPONENTS}.ActivationFunctions:{name}", given=(normal(5, 4),)),
        elementwise("function", "derivative", single=name == "Sigmoid"),
        (f"{COMPONENTS}.ActivationFunctions.{name}:{name}.derivative",),
        truth,
        **known,
    )


def _loss(name: str, truth: str = RIGHT, **known: Any) -> Item:
    return Item(
        name,
        new(f"{COMPONENTS}.LossFunctions:{name}", given=(normal(5, 3), normal(5, 3))),
        loss("function", "function_derivative", at=1),
        (f"{COMPONENTS}.LossFunctions.{name}:{name}.derivative",),
        truth,
        **known,
    )


PACKAGE = Package(
    "exclusiveAI==0.0.21",
    (
        _activation("Linear"),
        _activation("ReLU"),
        _activation("Tanh"),
        _activation("Sigmoid"),
        _activation("Softmax", WRONG, line="return np.exp(x - x.max())"),
        _loss("MeanSquaredError"),
        _loss("MeanEuclideanDistance"),
        _loss("CrossCorrelation", WRONG, line="return (x * y)"),
    ),
    needs=("tqdm==4.70.1", "joblib==1.6.0", "wandb==0.31.0"),
)
