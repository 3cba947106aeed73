"""The error function, to the last bit or two of the operand's width.

Source: the rational approximations of fdlibm's s_erf.c (Sun Microsystems, 1993), on |x| < 0.84375, < 1.25, < 1/0.35 and
< 6; beyond, erf is 1 to the last bit.
"""

from __future__ import annotations

from typing import Any

from dlc.ops.lazy_numpy import np

_AT_ONE = 8.45062911510467529297e-01  # erf(1), rounded to single
_PP = (
    1.28379167095512558561e-01,
    -3.25042107247001499370e-01,
    -2.84817495755985104766e-02,
    -5.77027029648944159157e-03,
    -2.37630166566501626084e-05,
)
_QQ = (
    1.0,
    3.97917223959155352819e-01,
    6.50222499887672944485e-02,
    5.08130628187576562776e-03,
    1.32494738004321644526e-04,
    -3.96022827877536812320e-06,
)
_PA = (
    -2.36211856075265944077e-03,
    4.14856118683748331666e-01,
    -3.72207876035701323847e-01,
    3.18346619901161753674e-01,
    -1.10894694282396677476e-01,
    3.54783043256182359371e-02,
    -2.16637559486879084300e-03,
)
_QA = (
    1.0,
    1.06420880400844228286e-01,
    5.40397917702171048937e-01,
    7.18286544141962662868e-02,
    1.26171219808761642112e-01,
    1.36370839120290507362e-02,
    1.19844998467991074170e-02,
)
_RA = (
    -9.86494403484714822705e-03,
    -6.93858572707181764372e-01,
    -1.05586262253232909814e01,
    -6.23753324503260060396e01,
    -1.62396669462573470355e02,
    -1.84605092906711035994e02,
    -8.12874355063065934246e01,
    -9.81432934416914548592e00,
)
_SA = (
    1.0,
    1.96512716674392571292e01,
    1.37657754143519042600e02,
    4.34565877475229228821e02,
    6.45387271733267880336e02,
    4.29008140027567833386e02,
    1.08635005541779435134e02,
    6.57024977031928170135e00,
    -6.04244152148580987438e-02,
)
_RB = (
    -9.86494292470009928597e-03,
    -7.99283237680523006574e-01,
    -1.77579549177547519889e01,
    -1.60636384855821916062e02,
    -6.37566443368389627722e02,
    -1.02509513161107724954e03,
    -4.83519191608651397019e02,
)
_SB = (
    1.0,
    3.03380607434824582924e01,
    3.25792512996573918826e02,
    1.53672958608443695994e03,
    3.19985821950859553908e03,
    2.55305040643316442583e03,
    4.74528541206955367215e02,
    -2.24409524465858183362e01,
)


def erf(x: Any) -> Any:
    """erf of a float array, in its own width."""
    size = np.abs(x)
    out = np.where(np.isnan(x), x, np.sign(x)).reshape(-1)
    flat, flat_size = x.reshape(-1), size.reshape(-1)
    small = flat_size < 0.84375
    middle = (flat_size >= 0.84375) & (flat_size < 1.25)
    large = (flat_size >= 1.25) & (flat_size < 6)
    out[small] = _small(flat[small])
    out[middle] = np.sign(flat[middle]) * _middle(flat_size[middle])
    out[large] = np.sign(flat[large]) * _large(flat_size[large])
    return out.reshape(x.shape)


def _small(x: Any) -> Any:
    square = x * x
    return x + x * (_polynomial(_PP, square) / _polynomial(_QQ, square))


def _middle(x: Any) -> Any:
    offset = x - 1
    return _AT_ONE + _polynomial(_PA, offset) / _polynomial(_QA, offset)


def _large(x: Any) -> Any:
    inverse = 1 / (x * x)
    near = _polynomial(_RA, inverse) / _polynomial(_SA, inverse)
    far = _polynomial(_RB, inverse) / _polynomial(_SB, inverse)
    fraction = np.where(x < 1 / 0.35, near, far)
    return 1 - np.exp(-x * x - 0.5625 + fraction) / x


def _polynomial(coefficients: tuple[float, ...], x: Any) -> Any:
    """Horner's rule; coefficients of rising powers."""
    total = np.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total
