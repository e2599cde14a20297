"""All bugs that gradcheck knows by name, and what is known of each: the only list of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, StrEnum, auto
from typing import Self


class Trait(Flag):
    """What is known of a bug by its name alone.

    Attributes
    ----------
    DESCRIPTION
        It says how the numbers look, and not what somebody did.
    AMBIGUOUS
        It names what several mistakes have in common: a change of the code that makes the numbers
        right says more.
    SOMEWHERE
        Numbers alone tell what is wrong, but not where.
    FACTOR
        It is one number too many, or missing.
    STRUCTURAL
        It is about which entries meet, and not about their values, so that a forward may have it as
        well. A number that makes a forward fit a wrong backward nearly always exists.
    PLAIN_EDIT
        It is all that can be said of many changes of the code: a factor, a term or a value is
        another one.
    """

    NONE = 0
    DESCRIPTION = auto()
    AMBIGUOUS = auto()
    SOMEWHERE = auto()
    FACTOR = auto()
    STRUCTURAL = auto()
    PLAIN_EDIT = auto()


@dataclass(frozen=True)
class _Row:
    """A line of the catalogue; see `Bug`."""

    summary: str
    traits: Trait = Trait.NONE
    implied_by: tuple[str, ...] = ()
    looks_like: tuple[str, ...] = ()


# To look a code up, ``Bug(code)``, takes no line; mypy reads it as a call of ``__new__``.
_LOOKED_UP = _Row("")


class Bug(StrEnum):
    """A bug by its stable code, which is a plain string to users: ``"sign_flipped"``.

    Attributes
    ----------
    summary
        What is wrong, in one sentence.
    traits
        What is known of it by its name alone.
    implied_by
        Bugs of which it is a mere consequence, so that beside them it needs no line of its own:
        what adds, rounds or masks with the cotangent is not linear in it.
    looks_like
        Bugs that it is taken for by one who knows the numbers alone: a penalty's share is a factor
        of no meaning, and beside a penalty so is the number of samples.
    """

    summary: str
    traits: Trait
    implied_by: frozenset[Bug]
    looks_like: frozenset[Bug]

    def __new__(cls, code: str, row: _Row = _LOOKED_UP) -> Self:
        """Return the code with all that is known of it."""
        bug = str.__new__(cls, code)
        bug._value_ = code
        bug.__dict__.update(vars(row))
        return bug

    def __repr__(self) -> str:
        return repr(str(self))

    # fmt: off
    # one number too much
    SIGN_FLIPPED = auto(), _Row(
        "Every number is right, and has the wrong sign.", looks_like=("additive_term",))
    FACTOR_BATCH_SIZE = auto(), _Row(
        "The gradient is N times too large or too small, N being the batch size.",
        Trait.FACTOR | Trait.PLAIN_EDIT, looks_like=("constant_factor", "additive_term"))
    FACTOR_TWO = auto(), _Row("The gradient is twice, or half, what it should be.", Trait.FACTOR)
    CONSTANT_FACTOR = auto(), _Row(
        "The whole gradient is multiplied by one number that should not be there.",
        Trait.AMBIGUOUS | Trait.FACTOR | Trait.PLAIN_EDIT, looks_like=("factor_two",))
    ADDITIVE_TERM = auto(), _Row(
        "A term is added in one of forward and backward only.",
        Trait.PLAIN_EDIT, looks_like=("constant_factor",))
    GRADIENT_CLIPPED = auto(), _Row("The backward limits the gradient, by value or by its norm.")

    # sums and products
    TRANSPOSED = auto(), _Row(
        "A matrix stands where its transpose belongs.", Trait.STRUCTURAL | Trait.PLAIN_EDIT,
        implied_by=("transposed",))
    CONJUGATE_MISSING = auto(), _Row(
        "A complex number stands where its conjugate belongs.", looks_like=("sign_flipped",))
    WRONG_AXIS = auto(), _Row("A sum or a mean is taken along the other axis.", Trait.STRUCTURAL)
    BROADCAST_NOT_REDUCED = auto(), _Row(
        "The gradient still has the shape that broadcasting gave the tensor.")
    SUMMED_TO_SCALAR = auto(), _Row(
        "All entries share one number: the sum over the whole tensor.", Trait.STRUCTURAL)
    OVERWRITTEN_NOT_ACCUMULATED = auto(), _Row(
        "Contributions that should add up replace each other.")
    LAST_SAMPLE_ONLY = auto(), _Row("Only one sample of the batch contributes to the gradient.")
    SAMPLES_MIXED = auto(), _Row(
        "A sample's gradient contains that of the others.", Trait.AMBIGUOUS)

    # the chain rule
    ZERO_GRADIENT = auto(), _Row("The gradient is zero, or missing, and should not be.")
    UNUSED_IN_FORWARD = auto(), _Row(
        "The output of the forward does not depend on the tensor at all.")
    UPSTREAM_IGNORED = auto(), _Row(
        "The gradient does not depend on what arrives from above.",
        implied_by=(
            "additive_term", "gradient_clipped", "wrong_mask", "precision_lost", "wrong_dtype"))
    ACTIVATION_DERIVATIVE_MISSING = auto(), _Row(
        "The gradient passes the activation as if it were not there.",
        Trait.SOMEWHERE | Trait.PLAIN_EDIT)
    DERIVATIVE_AT_WRONG_POINT = auto(), _Row(
        "The right derivative, of the wrong number.", Trait.SOMEWHERE | Trait.PLAIN_EDIT)
    JACOBIAN_DIAGONAL_ONLY = auto(), _Row(
        "Outputs that depend on several inputs are treated as if on one each.")
    NOT_SYMMETRIC = auto(), _Row(
        "A Hessian is given of which mirrored entries differ.", implied_by=("not_symmetric",))
    SPARSITY_TOO_SMALL = auto(), _Row(
        "The sparsity pattern leaves out entries that are not zero.",
        implied_by=("sparsity_too_small",))
    SOFTMAX_JACOBIAN_TWICE = auto(), _Row("The softmax is differentiated twice.")
    PATH_MISSING = auto(), _Row(
        "A term of the chain rule is absent.", Trait.AMBIGUOUS | Trait.PLAIN_EDIT)
    GRADIENT_OF_OTHER_LOSS = auto(), _Row(
        "The gradient is right, for another loss than the one computed.")

    # branches and masks
    MASK_NOT_APPLIED = auto(), _Row(
        "The gradient passes where the forward lets nothing through.", looks_like=("slope_wrong",))
    WRONG_MASK = auto(), _Row(
        "A mask is applied, but not the one of the forward.",
        looks_like=("derivative_at_wrong_point", "wrong_index"))
    CLIP_IGNORED = auto(), _Row(
        "The forward clips, and the backward does not know.", Trait.PLAIN_EDIT)
    SLOPE_WRONG = auto(), _Row(
        "One branch of a piecewise function has the wrong slope.", Trait.PLAIN_EDIT)
    SIGN_DEPENDENT = auto(), _Row(
        "The gradient is wrong only where the input has one sign.",
        Trait.DESCRIPTION | Trait.AMBIGUOUS)
    REGION_DEPENDENT = auto(), _Row(
        "The gradient is wrong only in a range of inputs, or at a border.", Trait.AMBIGUOUS)

    # places
    SWAPPED = auto(), _Row("Two gradients are exchanged.")
    WRONG_INDEX = auto(), _Row("The right numbers, at the wrong places.", Trait.STRUCTURAL)
    KERNEL_FLIPPED = auto(), _Row(
        "A convolution's kernel is run through in the wrong direction.", Trait.STRUCTURAL)
    FEW_ENTRIES = auto(), _Row(
        "A handful of entries is wrong; all others are right.", Trait.DESCRIPTION | Trait.AMBIGUOUS)
    WRONG_SHAPE = auto(), _Row(
        "The gradient does not have the shape of its tensor.",
        implied_by=("transposed", "broadcast_not_reduced", "summed_to_scalar"))

    # between calls
    STALE_CACHE = auto(), _Row("backward uses what an earlier forward left behind.")
    INPUT_MUTATED = auto(), _Row("The layer changes the array it was given.")
    COTANGENT_MUTATED = auto(), _Row("backward changes the gradient it was given.")
    PARAMETERS_MUTATED = auto(), _Row("Forward or backward changes the parameters.")
    NONDETERMINISTIC_FORWARD = auto(), _Row("The same input gives another output each time.")

    # numbers
    PRECISION_LOST = auto(), _Row("Somewhere inside, numbers are rounded to float32.")
    WRONG_DTYPE = auto(), _Row("The gradient is kept in a type that cannot hold it.")
    UNIFORMLY_INACCURATE = auto(), _Row(
        "Everything is a little wrong.", Trait.DESCRIPTION | Trait.AMBIGUOUS)
    NOT_FINITE = auto(), _Row(
        "The gradient is NaN or infinite, although the output is not.", implied_by=("not_finite",))
    OTHER_THAN_REFERENCE = auto(), _Row("It computes something else than the reference does.")
    UNEXPLAINED = auto(), _Row(
        "The gradient is wrong in a way that fits no known bug.",
        Trait.DESCRIPTION | Trait.AMBIGUOUS)

    # linear operators
    NOT_LINEAR = auto(), _Row("An operator is not linear: it adds a constant, or bends.")
    MATMAT_DIFFERS = auto(), _Row(
        "Several columns or samples at once are mapped otherwise than one by one.")

    # promises that may be required
    BATCH_INDEPENDENT = auto(), _Row("A sample's output depends on the other samples of the batch.")
    DTYPES = auto(), _Row("A gradient has another type than its tensor.")
    BACKWARD_REPEATABLE = auto(), _Row("A second backward gives another gradient.")
    MEMORY_LAYOUT = auto(), _Row("The result depends on how the array lies in memory.")
    GRADIENTS_NOT_ALIASED = auto(), _Row("The gradient returned is the very array that came in.")
    EMPTY_BATCH = auto(), _Row("The layer cannot do with a batch of no samples.")
    HOLOMORPHIC = auto(), _Row("The function of a complex array is not holomorphic.")
    SINGLE_SAMPLE = auto(), _Row("The layer cannot do with a batch of one sample.")
    # fmt: on


for _bug in Bug:  # a typo fails here
    _bug.implied_by = frozenset(Bug(code) for code in _bug.implied_by)
    _bug.looks_like = frozenset(Bug(code) for code in _bug.looks_like)
