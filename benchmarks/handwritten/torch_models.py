"""ResNet-50 (He et al., 2015) and the Transformer (Vaswani et al., 2017) in PyTorch, written by hand."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Bottleneck(nn.Module):
    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride != 1 or in_channels != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, 4 * width, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        identity = x if self.downsample is None else self.downsample(x)
        return F.relu(out + identity)


class ResNet50(nn.Module):
    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        units: list[nn.Module] = []
        channels = 64
        for stage, depth in enumerate([3, 4, 6, 3]):
            for i in range(depth):
                units.append(Bottleneck(channels, 64 * 2**stage, stride=2 if stage > 0 and i == 0 else 1))
                channels = 256 * 2**stage
        self.units = nn.Sequential(*units)
        self.fc = nn.Linear(channels, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = self.maxpool(F.relu(self.bn1(self.conv1(image))))
        x = self.units(x)
        return self.fc(x.mean(dim=(2, 3)))


class Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, query: Tensor, memory: Tensor, mask: Tensor | None = None, causal: bool = False) -> Tensor:
        n, t, d = query.shape
        q = self.q(query).view(n, t, self.heads, -1).transpose(1, 2)
        k = self.k(memory).view(n, memory.shape[1], self.heads, -1).transpose(1, 2)
        v = self.v(memory).view(n, memory.shape[1], self.heads, -1).transpose(1, 2)
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
        return self.out(context.transpose(1, 2).reshape(n, t, d))


class FeedForward(nn.Module):
    def __init__(self, dim: int, inner: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, inner)
        self.linear2 = nn.Linear(inner, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear2(F.relu(self.linear1(x)))


class EncoderLayer(nn.Module):
    def __init__(self, dim: int, heads: int, inner: int) -> None:
        super().__init__()
        self.attention = Attention(dim, heads)
        self.feed_forward = FeedForward(dim, inner)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = self.norm1(x + self.attention(x, x, mask))
        return self.norm2(x + self.feed_forward(x))


class DecoderLayer(nn.Module):
    def __init__(self, dim: int, heads: int, inner: int) -> None:
        super().__init__()
        self.self_attention = Attention(dim, heads)
        self.cross_attention = Attention(dim, heads)
        self.feed_forward = FeedForward(dim, inner)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.norm3 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        x = self.norm1(x + self.self_attention(x, x, causal=True))
        x = self.norm2(x + self.cross_attention(x, memory, mask))
        return self.norm3(x + self.feed_forward(x))


def positions(length: int, dim: int, device: torch.device) -> Tensor:
    position = torch.arange(length, device=device).float()[:, None]
    frequency = torch.exp(torch.arange(0, dim, 2, device=device).float() * (-math.log(10000.0) / dim))
    angle = position * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=-1).reshape(length, dim)


class Transformer(nn.Module):
    def __init__(self, vocab: int = 37000, dim: int = 512, heads: int = 8, inner: int = 2048, layers: int = 6) -> None:
        super().__init__()
        self.dim = dim
        self.tokens = nn.Embedding(vocab, dim)
        self.encoder = nn.ModuleList([EncoderLayer(dim, heads, inner) for _ in range(layers)])
        self.decoder = nn.ModuleList([DecoderLayer(dim, heads, inner) for _ in range(layers)])

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        mask = (source != 0)[:, None, None, :]
        x = self.tokens(source) * math.sqrt(self.dim) + positions(source.shape[1], self.dim, source.device)
        for layer in self.encoder:
            x = layer(x, mask)
        y = self.tokens(target) * math.sqrt(self.dim) + positions(target.shape[1], self.dim, target.device)
        for layer in self.decoder:
            y = layer(y, x, mask)
        return F.linear(y, self.tokens.weight)
