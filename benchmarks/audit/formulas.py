"""What operators compute, in mpmath's numbers: the independent truth where the engine disagrees.

A formula serves an operator of its name only where their values agree, so that libraries may give
one name to different functions: one name has several formulas then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mpmath import mp

Formula = Callable[..., Any]

SELU_ALPHA = mp.mpf("1.6732632423543772848170429916717")
SELU_SCALE = mp.mpf("1.0507009873554804934193349852946")


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def _clipped(x: Any) -> Any:
    return min(max(x, mp.mpf(-20)), mp.mpf(20))


def _softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x)) if x < 0 else x + mp.log1p(mp.exp(-x))


def _normal(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def _gelu_of_tanh(x: Any) -> Any:
    return x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mp.mpf("0.044715") * x**3)))


def _hard_sigmoid(x: Any) -> Any:
    return min(max(x / 6 + mp.mpf(1) / 2, 0), 1)


def _sinc(x: Any) -> Any:
    return mp.mpf(1) if x == 0 else mp.sin(mp.pi * x) / (mp.pi * x)


def _xlogy(x: Any, y: Any) -> Any:
    return mp.mpf(0) if x == 0 else x * mp.log(y)


def _entropy(x: Any) -> Any:
    return -_xlogy(x, x)


def _log_exp_sum(row: Sequence[Any]) -> Any:
    return mp.log(mp.fsum(mp.exp(x) for x in row))


def _softmax(row: Sequence[Any]) -> list[Any]:
    total = mp.fsum(mp.exp(x) for x in row)
    return [mp.exp(x) / total for x in row]


def _log_softmax(row: Sequence[Any]) -> list[Any]:
    total = _log_exp_sum(row)
    return [x - total for x in row]


def _log_add_exp(x: Any, y: Any) -> Any:
    return max(x, y) + mp.log1p(mp.exp(-abs(x - y)))


def _cross_entropy(logit: Any, label: Any) -> Any:
    return _softplus(logit) - label * logit


def _focal(logit: Any, label: Any) -> Any:
    p = _sigmoid(logit)
    return _cross_entropy(logit, label) * (label * (1 - p) + (1 - label) * p) ** 2


def _huber(x: Any, y: Any) -> Any:
    return (x - y) ** 2 / 2 if abs(x - y) <= 1 else abs(x - y) - mp.mpf(1) / 2


def _bessel(order: int, scaled: bool = False) -> Formula:
    return lambda x: mp.besseli(order, x) * (mp.exp(-abs(x)) if scaled else 1)


# One line for each function; names are those of `plain_name`.
FORMULAS: dict[str, tuple[Formula, ...]] = {
    "abs fabs absolute": (abs,),
    "acos arccos": (mp.acos,),
    "acosh arccosh": (mp.acosh,),
    "acot arccot": (lambda x: mp.pi / 2 - mp.atan(x), mp.acot),
    "acoth arccoth": (mp.acoth,),
    "acsc arccsc": (mp.acsc,),
    "acsch arccsch": (mp.acsch,),
    "asec arcsec": (mp.asec,),
    "asech arcsech": (mp.asech,),
    "around rint round": (mp.nint,),
    "asin arcsin": (mp.asin,),
    "asinh arcsinh": (mp.asinh,),
    "atan arctan": (mp.atan,),
    "atan2 arctan2": (lambda y, x: mp.atan2(y, x),),
    "atanh arctanh": (mp.atanh,),
    "beta": (mp.beta,),
    "iv": (mp.besseli,),
    "ive": (lambda order, x: mp.besseli(order, x) * mp.exp(-abs(x)),),
    "jn jv": (mp.besselj,),
    "binary_cross_entropy_with_logits sigmoid_binary_cross_entropy": (
        _cross_entropy,
        lambda label, logit: _cross_entropy(logit, label),
    ),
    "boxcox": (lambda x, c: mp.log(x) if c == 0 else mp.expm1(c * mp.log(x)) / c,),
    "boxcox1p": (lambda x, c: mp.log1p(x) if c == 0 else mp.expm1(c * mp.log1p(x)) / c,),
    "cbrt": (lambda x: mp.sign(x) * mp.cbrt(abs(x)),),
    "ceil": (mp.ceil,),
    "celu elu": (lambda x: x if x > 0 else mp.expm1(x),),
    "cos": (mp.cos,),
    "cosh": (mp.cosh,),
    "cot": (mp.cot,),
    "coth": (mp.coth,),
    "csc": (mp.csc,),
    "csch": (mp.csch,),
    "dawsn": (lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x),),
    "digamma psi": (mp.digamma,),
    "dish": (lambda x: (x / mp.sqrt(1 + x * x) + 1) * x / 2,),
    "entr": (_entropy,),
    "erf": (mp.erf,),
    "erfc": (mp.erfc,),
    "erfcx": (lambda x: mp.exp(x * x) * mp.erfc(x),),
    "erfinv": (mp.erfinv,),
    "exp": (mp.exp,),
    "exp2": (lambda x: mp.mpf(2) ** x,),
    "expi": (mp.ei,),
    "expit sigmoid": (_sigmoid, lambda x: _sigmoid(_clipped(x))),
    "expm1": (mp.expm1,),
    "floor": (mp.floor,),
    "floor_divide": (lambda x, y: mp.floor(x / y),),
    "fmod remainder mod": (
        lambda x, y: x - y * mp.floor(x / y),
        lambda x, y: x - y * (mp.floor(x / y) if x / y > 0 else mp.ceil(x / y)),
    ),
    "__rmod__": (lambda x, y: y - x * mp.floor(y / x),),
    "frac": (lambda x: x - (mp.floor(x) if x > 0 else mp.ceil(x)),),
    "gamma factorial": (mp.gamma, lambda x: mp.gamma(x + 1)),
    "gammaln lgamma loggamma": (lambda x: mp.re(mp.loggamma(x)),),
    "betaln": (lambda x, y: mp.re(mp.loggamma(x) + mp.loggamma(y) - mp.loggamma(x + y)),),
    "gelu gelu_approx": (lambda x: x * _normal(x), _gelu_of_tanh),
    "hard_sigmoid hardsigmoid": (
        _hard_sigmoid,
        lambda x: min(max(x / 5 + mp.mpf(1) / 2, 0), 1),
    ),
    "hard_silu hard_swish hardswish": (
        lambda x: x * _hard_sigmoid(x),
        lambda x: x * min(max(x / 5 + mp.mpf(1) / 2, 0), 1),
    ),
    "huber_loss smooth_l1_loss": (_huber,),
    "hypot": (mp.hypot,),
    "i0": (_bessel(0),),
    "i0e": (_bessel(0, scaled=True),),
    "i1": (_bessel(1),),
    "i1e": (_bessel(1, scaled=True),),
    "ldexp": (lambda x, n: x * mp.mpf(2) ** n,),
    "log": (mp.log,),
    "log10": (mp.log10,),
    "log1mexp": (lambda x: mp.log(-mp.expm1(-x)),),
    "log1p": (mp.log1p,),
    "log2": (lambda x: mp.log(x, 2),),
    "log_cosh": (
        lambda x: abs(x) + mp.log1p(mp.exp(-2 * abs(x))) - mp.log(2),
        lambda x, y: abs(x - y) + mp.log1p(mp.exp(-2 * abs(x - y))) - mp.log(2),
    ),
    "log_ndtr": (lambda x: mp.log(_normal(x)),),
    "log_sigmoid logsigmoid": (lambda x: -_softplus(-x),),
    "log_softmax logsoftmax": (_log_softmax,),
    "logaddexp": (_log_add_exp,),
    "logaddexp2": (lambda x, y: _log_add_exp(x * mp.log(2), y * mp.log(2)) / mp.log(2),),
    "logit": (lambda x: mp.log(x) - mp.log1p(-x),),
    "logsumexp": (_log_exp_sum,),
    "mish": (lambda x: x * mp.tanh(_softplus(x)),),
    "mvlgamma": (lambda x: mp.re(mp.loggamma(x)),),
    "ndtr": (_normal,),
    "ndtri": (lambda x: mp.sqrt(2) * mp.erfinv(2 * x - 1),),
    "norm": (lambda row: mp.sqrt(mp.fsum(x * x for x in row)),),
    "polygamma": (lambda n, x: mp.polygamma(int(n), x),),
    "pow power float_power": (lambda x, y: x**y,),
    "reciprocal": (lambda x: 1 / x,),
    "rgamma": (mp.rgamma,),
    "rsqrt": (lambda x: 1 / mp.sqrt(x),),
    "sec": (mp.sec,),
    "sech": (mp.sech,),
    "selu": (lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mp.expm1(x)),),
    "sigmoid_focal_loss": (_focal,),
    "silu swish hard_swish_mobilenet": (
        lambda x: x * _sigmoid(x),
        lambda x: x * _sigmoid(_clipped(x)),
        lambda x: x * _hard_sigmoid(x),
    ),
    "sin": (mp.sin,),
    "sinc": (_sinc, lambda x: mp.mpf(1) if x == 0 else mp.sin(x) / x),
    "sinh": (mp.sinh,),
    "soft_sign softsign": (lambda x: x / (1 + abs(x)),),
    "softmax": (_softmax,),
    "softplus": (_softplus,),
    "sparse_plus": (lambda x: (x + 1) ** 2 / 4 if abs(x) < 1 else max(x, 0),),
    "spence": (lambda x: mp.polylog(2, 1 - x),),
    "sqrt": (mp.sqrt,),
    "square": (lambda x: x * x,),
    "squareplus": (lambda x: (x + mp.sqrt(x * x + 4)) / 2,),
    "std": (lambda row: mp.sqrt(_variance(row, 0)), lambda row: mp.sqrt(_variance(row, 1))),
    "tan": (mp.tan,),
    "trunc fix": (lambda x: mp.floor(x) if x > 0 else mp.ceil(x),),
    "tanh": (mp.tanh,),
    "tanhshrink tanh_shrink": (lambda x: x - mp.tanh(x),),
    "var": (lambda row: _variance(row, 0), lambda row: _variance(row, 1)),
    "xlog1py": (lambda x, y: mp.mpf(0) if x == 0 else x * mp.log1p(y),),
    "xlogy rel_entr": (_xlogy, lambda x, y: _xlogy(x, x / y)),
    "zeta": (mp.zeta,),
}  # fmt: skip


def _variance(row: Sequence[Any], lost: int) -> Any:
    mean = mp.fsum(row) / len(row)
    return mp.fsum((x - mean) ** 2 for x in row) / (len(row) - lost)


BY_NAME = {name: formulas for names, formulas in FORMULAS.items() for name in names.split()}


def plain_name(name: str) -> str:
    """Return an operator's name without its modules: ``nn.functional.relu`` is ``relu``."""
    return name.rpartition(".")[2].removeprefix("special_")
