"""The distributions of initial values and random draws: their names, arguments and the numbers they give.

Drawing is our own from the bits up, so that one seed gives the same file everywhere: Philox (counter based, keyed by
seed and name) gives 64 raw bits per value, 53 of them a uniform float64 in the open interval (0, 1), the rest float64
arithmetic; the caller rounds once. Normals use the inverse of the distribution function (Wichura, AS 241, PPND16), one
uniform per value, so that a stream can be drawn in chunks of any length.

Fans are torch's: of a shape [a, b, *rest], fan_in is b * prod(rest) and fan_out is a * prod(rest); a vector of n has
both n, a scalar both 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dlc.ir import Distribution
from dlc.spec.record import record

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

CHUNK = 1 << 16  # values drawn at a time: 512 KiB of float64, which stay in the cache


@record
class DistributionSpec:
    """A distribution by name. `arguments`: names in order, with defaults; a default of None must be given.

    `fan`: "in", "sum" or "" for the fan that its scale is taken from; `doc` its meaning.
    """

    name: str
    arguments: tuple[tuple[str, float | None], ...]
    doc: str
    sampling: bool = False  # may be used by `sample`


_SPECS = (
    DistributionSpec("constant", (("value", None),), "`value` everywhere"),
    DistributionSpec("zeros", (), "0 everywhere"),
    DistributionSpec("ones", (), "1 everywhere"),
    DistributionSpec("uniform", (("low", 0.0), ("high", 1.0)), "uniform in [low, high)", sampling=True),
    DistributionSpec("normal", (("mean", 0.0), ("std", 1.0)), "normal", sampling=True),
    DistributionSpec(
        "truncated_normal",
        (("mean", 0.0), ("std", 1.0)),
        "normal with mean and std, restricted to mean - 2 std .. mean + 2 std",
        sampling=True,
    ),
    DistributionSpec("xavier_uniform", (("gain", 1.0),), "uniform in -a..a, a = gain sqrt(6 / (fan_in + fan_out))"),
    DistributionSpec("xavier_normal", (("gain", 1.0),), "normal, std = gain sqrt(2 / (fan_in + fan_out))"),
    DistributionSpec(
        "kaiming_uniform", (("gain", math.sqrt(2.0)),), "uniform in -a..a, a = gain sqrt(3 / fan_in); gain sqrt(2)"
    ),
    DistributionSpec("kaiming_normal", (("gain", math.sqrt(2.0)),), "normal, std = gain / sqrt(fan_in); gain sqrt(2)"),
    DistributionSpec("lecun_normal", (), "normal, std = 1 / sqrt(fan_in)"),
    DistributionSpec(
        "orthogonal", (("gain", 1.0),), "gain times a random (semi-)orthogonal matrix of the first axis by the rest"
    ),
    DistributionSpec("expression", (("value", None),), "the numbers that the spec computes"),
)

DISTRIBUTIONS: dict[str, DistributionSpec] = {spec.name: spec for spec in _SPECS}


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """(fan_in, fan_out) of a shape, as torch counts them."""
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    rest = math.prod(shape[2:])
    return shape[1] * rest, shape[0] * rest


def arguments(distribution: Distribution) -> dict[str, Any]:
    """The arguments by name, defaults filled in. Raises KeyError for an unknown distribution or a missing argument."""
    spec = DISTRIBUTIONS[distribution.name]
    given = [argument.value for argument in distribution.arguments]
    if len(given) > len(spec.arguments):
        raise KeyError(f"{distribution.name} takes at most {len(spec.arguments)} arguments")
    result: dict[str, Any] = {}
    for index, (name, default) in enumerate(spec.arguments):
        value = given[index] if index < len(given) else default
        if value is None:
            raise KeyError(f"{distribution.name} needs `{name}`")
        result[name] = value
    return result


def chunks(distribution: Distribution, shape: Sequence[int], name: str, seed: int) -> Iterator[Array]:
    """The values of a tensor, flat, in float64 pieces of at most CHUNK values (`orthogonal` comes as one piece).

    The stream depends on distribution, shape, name and seed only.
    """
    import numpy as np

    size = math.prod(shape)
    if distribution.name == "expression":
        yield _expression(distribution, shape)
        return
    given = arguments(distribution)
    if distribution.name == "orthogonal":
        yield given["gain"] * _orthogonal(shape, _uniforms(name, seed))
        return
    fixed = {"zeros": 0.0, "ones": 1.0}.get(distribution.name, given.get("value"))
    stream = None if fixed is not None else _uniforms(name, seed)
    transform = None if fixed is not None else _transform(distribution.name, given, shape)
    for start in range(0, size, CHUNK):
        count = min(CHUNK, size - start)
        if stream is None or transform is None:
            yield np.full(count, float(fixed))  # type: ignore[arg-type]
        else:
            yield transform(stream(count))


def draw(distribution: Distribution, shape: Sequence[int], name: str, seed: int) -> Array:
    """A whole tensor in float64."""
    import numpy as np

    pieces = list(chunks(distribution, shape, name, seed))
    flat = np.concatenate(pieces) if pieces else np.zeros(0)
    return flat.reshape(tuple(shape))


def _uniforms(name: str, seed: int) -> Callable[[int], Array]:
    """A stream of uniforms in (0, 1): 53 bits each, keyed by name and seed."""
    import hashlib

    import numpy as np

    digest = hashlib.sha256(f"{seed}\0{name}".encode()).digest()
    bits = np.random.Philox(key=int.from_bytes(digest[:16], "little"))

    def take(count: int) -> Array:
        raw = bits.random_raw(count)
        return ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53

    return take


def _transform(name: str, given: dict[str, Any], shape: Sequence[int]) -> Callable[[Array], Array]:
    fan_in, fan_out = (max(fan, 1) for fan in fans(shape))
    if name == "uniform":
        low, high = float(given["low"]), float(given["high"])
        return lambda u: low + (high - low) * u
    if name == "normal":
        mean, std = float(given["mean"]), float(given["std"])
        return lambda u: mean + std * normal_quantile(u)
    if name == "truncated_normal":
        mean, std = float(given["mean"]), float(given["std"])
        below = 0.5 * math.erfc(math.sqrt(2.0))  # what lies below -2
        return lambda u: mean + std * normal_quantile(below + (1.0 - 2.0 * below) * u)
    if name in ("xavier_uniform", "kaiming_uniform"):
        variance = 2.0 / (fan_in + fan_out) if name == "xavier_uniform" else 1.0 / fan_in
        bound = given["gain"] * math.sqrt(3.0 * variance)
        return lambda u: bound * (2.0 * u - 1.0)
    variances = {
        "xavier_normal": 2.0 / (fan_in + fan_out),
        "kaiming_normal": 1.0 / fan_in,
        "lecun_normal": 1.0 / fan_in,
    }
    scale = given.get("gain", 1.0) * math.sqrt(variances[name])
    return lambda u: scale * normal_quantile(u)


def _expression(distribution: Distribution, shape: Sequence[int]) -> Array:
    import numpy as np

    values = [argument.value for argument in distribution.arguments]
    numbers = np.asarray(values[0] if len(values) == 1 else values, dtype=np.float64)
    if numbers.size == math.prod(shape) and numbers.shape != tuple(shape):
        return numbers.reshape(-1)
    return np.broadcast_to(numbers, tuple(shape)).reshape(-1)


def _orthogonal(shape: Sequence[int], stream: Callable[[int], Array]) -> Array:
    """As torch: QR of a normal matrix of the first axis by all others, signs from R's diagonal. Flat."""
    import numpy as np

    rows = shape[0] if shape else 1
    columns = math.prod(shape[1:])
    if not rows * columns:
        return np.zeros(0)
    normal = normal_quantile(stream(rows * columns)).reshape(rows, columns)
    q, r = np.linalg.qr(normal if rows >= columns else normal.T)
    q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
    return (q if rows >= columns else q.T).reshape(-1)


_A = (
    3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3,
)  # fmt: skip
_B = (
    1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3, 2.1213794301586595867e4,
    3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3,
)  # fmt: skip
_C = (
    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
    1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4,
)  # fmt: skip
_D = (
    1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1,
    1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9,
)  # fmt: skip
_E = (
    6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
    2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7,
)  # fmt: skip
_F = (
    1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4,
    1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15,
)  # fmt: skip


def normal_quantile(u: Array) -> Array:
    """The standard normal's inverse distribution function on (0, 1), in float64.

    M. J. Wichura, Algorithm AS 241, Applied Statistics 37 (1988), PPND16: relative accuracy about 1e-16.
    """
    import numpy as np

    def polynomial(coefficients: Sequence[float], x: Array) -> Array:
        result = np.full_like(x, coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            result *= x
            result += coefficient
        return result

    q = u - 0.5
    middle = np.abs(q) <= 0.425
    result = np.empty_like(q)
    center = q[middle]
    r = 0.180625 - center * center
    result[middle] = center * polynomial(_A, r) / polynomial(_B, r)
    tail = ~middle
    side = q[tail]
    r = np.sqrt(-np.log(np.where(side < 0, u[tail], 1.0 - u[tail])))
    size = polynomial(_C, r - 1.6) / polynomial(_D, r - 1.6)
    far = r > 5.0
    if far.any():
        beyond = r[far] - 5.0
        size[far] = polynomial(_E, beyond) / polynomial(_F, beyond)
    result[tail] = np.copysign(size, side)
    return result
