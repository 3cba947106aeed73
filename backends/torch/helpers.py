"""Small functions that generated files carry where an op has no exact spelling in torch."""

from __future__ import annotations

from collections.abc import Mapping

#: Name -> source. Each file gets the ones that it uses.
HELPERS: Mapping[str, str] = {
    "softmax": '''
def softmax(x: Tensor, dim: int) -> Tensor:
    """Softmax over `dim`; 0 where every entry is -inf."""
    empty = (x == float("-inf")).all(dim, keepdim=True)
    return F.softmax(x.masked_fill(empty, 0.0), dim=dim).masked_fill(empty, 0.0)
''',
    "log_softmax": '''
def log_softmax(x: Tensor, dim: int) -> Tensor:
    """Logarithm of the softmax over `dim`; -inf where every entry is -inf."""
    empty = (x == float("-inf")).all(dim, keepdim=True)
    logs = F.log_softmax(x.masked_fill(empty, 0.0), dim=dim)
    return logs.masked_fill(empty, float("-inf"))
''',
    "where_rows": '''
def where_rows(rows: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Row n of `x` where `rows[n]` is true, else row n of `y`."""
    return torch.where(rows.reshape(-1, *[1] * (x.ndim - 1)), x, y)
''',
    "strided": '''
def strided(x: Tensor, start: int | None, stop: int | None, step: int, dim: int) -> Tensor:
    """`x[start:stop:step]` along `dim`, with steps of either sign."""
    places = range(*slice(start, stop, step).indices(x.shape[dim]))
    return x.index_select(dim, torch.tensor(places, dtype=torch.int64, device=x.device))
''',
    "pad_reflect": '''
def pad_reflect(x: Tensor, low: int, high: int, dim: int) -> Tensor:
    """Mirrors the entries of `dim` at its ends, the outermost ones not repeated."""
    size = x.shape[dim]
    places = torch.arange(-low, size + high, device=x.device)
    places = places.remainder(max(2 * (size - 1), 1))
    return x.index_select(dim, torch.minimum(places, 2 * (size - 1) - places))
''',
    "pad_edge": '''
def pad_edge(x: Tensor, low: int, high: int, dim: int) -> Tensor:
    """Repeats the outermost entries of `dim`."""
    size = x.shape[dim]
    places = torch.arange(-low, size + high, device=x.device)
    return x.index_select(dim, places.clamp(0, size - 1))
''',
    "pad_wrap": '''
def pad_wrap(x: Tensor, low: int, high: int, dim: int) -> Tensor:
    """Continues `dim` at both ends with its other end."""
    size = x.shape[dim]
    places = torch.arange(-low, size + high, device=x.device)
    return x.index_select(dim, places.remainder(max(size, 1)))
''',
    "run_rnn": '''
def run_rnn(cell: nn.Module, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    """A cell over axis 1 of `x`, fused as in nn.RNN: all outputs, the last state."""
    bias = cell.dense.bias
    weights = [cell.dense.weight, cell.dense_2.weight, bias, torch.zeros_like(bias)]
    outputs, h = torch.rnn_tanh(x, h[None], weights, True, 1, 0.0, True, False, True)
    return outputs, h[0]
''',
    "run_lstm": '''
def run_lstm(
    cell: nn.Module, x: Tensor, h: Tensor, c: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """A cell over axis 1 of `x`, fused as in nn.LSTM: all outputs, the last states."""
    bias = cell.dense.bias
    weights = [cell.dense.weight, cell.dense_2.weight, bias, torch.zeros_like(bias)]
    states = h[None], c[None]
    outputs, h, c = torch.lstm(x, states, weights, True, 1, 0.0, True, False, True)
    return outputs, h[0], c[0]
''',
    "run_gru": '''
def run_gru(cell: nn.Module, x: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    """A cell over axis 1 of `x`, fused as in nn.GRU: all outputs, the last state."""
    zeros = x.new_zeros(2 * cell.recurrent_bias.shape[0])
    biases = [cell.dense.bias, torch.cat([zeros, cell.recurrent_bias])]
    weights = [cell.dense.weight, cell.dense_2.weight, *biases]
    outputs, h = torch.gru(x, h[None], weights, True, 1, 0.0, True, False, True)
    return outputs, h[0]
''',
    "segment_sum": '''
def segment_sum(x: Tensor, segments: Tensor, count: int) -> Tensor:
    """Row s of the result is the sum of the rows of `x` whose segment is s."""
    return x.new_zeros(count, *x.shape[1:]).index_add(0, segments, x)
''',
    "segment_count": '''
def segment_count(segments: Tensor, count: int) -> Tensor:
    """How many rows each segment has."""
    ones = torch.ones_like(segments)
    return ones.new_zeros(count).index_add(0, segments, ones)
''',
    "segment_mean": '''
def segment_mean(x: Tensor, segments: Tensor, count: int) -> Tensor:
    """Row s of the result is the mean of the rows of `x` whose segment is s; 0 for none."""
    total = x.new_zeros(count, *x.shape[1:]).index_add(0, segments, x)
    rows = x.new_zeros(count).index_add(0, segments, x.new_ones(x.shape[0]))
    return total / rows.clamp(min=1).reshape(-1, *[1] * (x.ndim - 1))
''',
    "segment_max": '''
def segment_max(x: Tensor, segments: Tensor, count: int) -> Tensor:
    """Row s of the result is the maximum of the rows of `x` whose segment is s; 0 for none."""
    places = segments.reshape(-1, *[1] * (x.ndim - 1)).expand_as(x)
    start = x.new_zeros(count, *x.shape[1:])
    return start.scatter_reduce(0, places, x, "amax", include_self=False)
''',
    "segment_min": '''
def segment_min(x: Tensor, segments: Tensor, count: int) -> Tensor:
    """Row s of the result is the minimum of the rows of `x` whose segment is s; 0 for none."""
    places = segments.reshape(-1, *[1] * (x.ndim - 1)).expand_as(x)
    start = x.new_zeros(count, *x.shape[1:])
    return start.scatter_reduce(0, places, x, "amin", include_self=False)
''',
    "segment_softmax": '''
def segment_softmax(x: Tensor, segments: Tensor, count: int) -> Tensor:
    """Softmax over the rows of each segment; 0 where every entry is -inf."""
    places = segments.reshape(-1, *[1] * (x.ndim - 1)).expand_as(x)
    start = x.new_zeros(count, *x.shape[1:])
    peak = start.scatter_reduce(0, places, x, "amax", include_self=False)
    peak = torch.where(peak == float("-inf"), 0.0, peak).detach()
    weights = torch.exp(x - peak[segments])
    total = start.index_add(0, segments, weights)
    return weights / torch.where(total == 0, 1.0, total)[segments]
''',
    "topk": '''
def topk(x: Tensor, k: int, dim: int, largest: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest along `dim` and where they stand; of equals the first, unlike in torch.topk."""
    values, places = torch.sort(x, dim=dim, descending=largest, stable=True)
    return values.narrow(dim, 0, k), places.narrow(dim, 0, k)
''',
    "resize_nearest": '''
def resize_nearest(x: Tensor, size: Sequence[int]) -> Tensor:
    """Entry `i * before // after` for entry i of each spatial axis; F.interpolate rounds."""
    for dim, after in enumerate(size, 2):
        places = torch.arange(after, device=x.device) * x.shape[dim] // after
        x = x.index_select(dim, places)
    return x
''',
    "avg_pool": '''
def avg_pool(
    x: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    ceil_mode: bool,
    include_padding: bool,
) -> Tensor:
    """Average pooling with any padding: sums of windows over the numbers of entries."""
    pool = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(kernel) - 1]
    sides = [size for pair in reversed(padding) for size in pair]
    counted = F.pad(torch.ones_like(x), sides, value=float(include_padding))
    x = F.pad(x, sides)
    if ceil_mode:
        extra = []
        for axis in reversed(range(len(kernel))):
            rest = (x.shape[axis + 2] - kernel[axis]) % stride[axis]
            over = stride[axis] - rest if rest else 0
            start = x.shape[axis + 2] + over - kernel[axis]
            inside = x.shape[axis + 2] - padding[axis][1]
            extra += [0, over if start < inside else 0]
        x, counted = F.pad(x, extra), F.pad(counted, extra)
    return pool(x, kernel, stride) / pool(counted, kernel, stride)
''',
}
