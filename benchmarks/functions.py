"""Every function on tensors with a million numbers: forward, and backward where there is a gradient.

A case is an expression, evaluated in the names of either library, as `torch` is seen by scripts, with `DATA`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Sides
from benchmarks.peers import Peers

SIDE = 1024
SECONDS = 0.1  # of measuring a case: there are many, so the fewest rounds have to do


def numbers(seed: int, low: float, high: float, *shape: int) -> np.ndarray:
    """Numbers of [low, high) in random order, all of them different."""
    size = int(np.prod(shape))
    places = np.random.default_rng(seed).permutation(size).reshape(shape)
    return np.asarray(low + (high - low) * (places + 0.5) / size, np.float32)


def whole(seed: int, high: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, shape)


DATA: dict[str, Callable[[], np.ndarray]] = {
    "x": lambda: numbers(0, -1, 3, SIDE, SIDE),
    "y": lambda: numbers(1, 0.5, 3, SIDE, SIDE),
    "z": lambda: numbers(2, 0.5, 3, SIDE, SIDE),
    "p": lambda: numbers(3, 0.1, 0.9, SIDE, SIDE),
    "q": lambda: numbers(4, 1.1, 2, SIDE, SIDE),
    "unit": lambda: numbers(5, 0.9999, 1.0001, SIDE, SIDE),
    "cube": lambda: numbers(6, -1, 3, 64, 128, 128),
    "line": lambda: numbers(7, 0.5, 3, SIDE),
    "small": lambda: numbers(8, -1, 3, 32, 32),
    "triples": lambda: numbers(9, -1, 3, SIDE * SIDE // 4, 3),
    "doubles": lambda: numbers(10, 0.5, 3, SIDE, SIDE).astype(np.float64),
    "places": lambda: whole(11, SIDE, SIDE, SIDE),
    "order": lambda: np.random.default_rng(12).permutation(SIDE),
    "indices": lambda: whole(13, SIDE, SIDE),
    "bits": lambda: whole(14, 2, SIDE, SIDE) == 1,
    "others": lambda: whole(15, 2, SIDE, SIDE) == 1,
}

# By group: what has a gradient, what has none, and what is random, so that results do not agree.
EXPRESSIONS = {
    "pointwise": (
        """
        abs(x) acos(p) acosh(q) add(x,y) add(x,1.5) add(x,line) add(x,y.t()) addcdiv(x,y,z,value=0.5)
        addcmul(x,y,z,value=0.5) asin(p) asinh(x) atan(x) atan2(x,y) atanh(p) ceil(x) clamp(x,0.0,1.0) clamp(x,p,q)
        clamp_max(x,1.0) clamp_min(x,0.0) cos(x) cosh(x) deg2rad(x) div(x,y) div(x,y,rounding_mode="floor")
        div(x,y,rounding_mode="trunc") erf(x) erfc(x) exp(x) exp(x.t()) exp2(x) expm1(x) floor(x) fmax(x,y) fmin(x,y)
        fmod(x,y) frac(x) hypot(x,y) lerp(x,y,0.3) lerp(x,y,p) log(y) log10(y) log1p(y) log2(y) logaddexp(x,y)
        logaddexp2(x,y) logit(p) maximum(x,y) minimum(x,y) mul(x,y) mul(x,line[:,None]) mul(x[:,::2],y[:,::2]) neg(x)
        pow(x,2) pow(y,1.7) pow(y,p) pow(doubles,1.7) rad2deg(x) reciprocal(y) remainder(x,y) round(x)
        round(x,decimals=2) rsqrt(y) rsub(x,y) sigmoid(x) sign(x) sgn(x) sin(x) sinh(x) sqrt(y) square(x) sub(x,y)
        tan(x) tanh(x) true_divide(x,y) trunc(x) where(bits,x,y) xlogy(x,y) exp(doubles) mul(doubles,doubles)
        """,
        """
        allclose(x,x) eq(x,y) equal(x,x) floor_divide(x,y) ge(x,y) gt(x,y) isclose(x,y) isfinite(x) isin(places,order)
        isinf(x) isnan(x) isneginf(x) isposinf(x) le(x,y) logical_and(bits,others) logical_not(bits)
        logical_or(bits,others) logical_xor(bits,others) lt(x,y) ne(x,y) signbit(x) add(places,places) positive(x)
        """,
        "",
    ),
    "reductions and scans": (
        """
        amax(x) amax(x,1) amax(x,0) amin(x,1) aminmax(x,dim=1)[0] cummax(x,1)[0] cummin(x,1)[0] cumprod(unit,1)
        cumsum(x,1) cumsum(x,0) diff(x) diff(x,dim=0) logsumexp(x,1) logsumexp(x,0) masked_select(x,bits) max(x)
        max(x,1)[0] max(x,0)[0] mean(x) mean(x,1) mean(x,0) min(x) min(x,1)[0] msort(x) nanmean(x) nanmean(x,1)
        nansum(x) nansum(x,1) nansum(x,0) norm(x) norm(x,dim=1) norm(x,1,1) norm(x,3,0) prod(unit) prod(unit,1)
        sort(x)[0] std(x) std(x,1) std(x,0) std_mean(x,1) sum(x) sum(x,1) sum(x,0) sum(x.view(4,-1),1) sum(x.t(),0)
        sum(doubles,1) topk(x,10)[0] trace(x) var(x) var(x,1,correction=0) var(x,0) var_mean(x,1)
        """,
        """
        all(bits) all(x,1) any(x,1) argmax(x) argmax(x,1) argmax(x,0) argmin(x,1) argsort(x) argwhere(bits)
        bincount(places.view(-1)) count_nonzero(x) count_nonzero(x,1) nonzero(bits) sum(places) sum(bits) topk(x,10)[1]
        """,
        "",
    ),
    "shape and indexing": (
        """
        x.reshape(-1) x.t().reshape(-1) x.view(-1) flatten(x) unflatten(x,0,(32,32)) cube[None].squeeze(0)
        unsqueeze(x,1) transpose(x,0,1) movedim(cube,0,2) permute(cube,(2,0,1)) permute(cube,(2,0,1)).contiguous()
        x.t().contiguous() line.expand(1024,1024) broadcast_to(line,(1024,1024)) tile(small,(32,32)) small.repeat(32,32)
        repeat_interleave(small,32,0) repeat_interleave(x,2,1) cat((x,y)) cat((x,y),1) stack((x,y)) stack((x,y),2)
        hstack((x,y)) vstack((x,y)) dstack((x,y)) column_stack((x,y)) split(x,256) tensor_split(x,5) chunk(x,4,1)
        unbind(cube) narrow(x,1,3,900) select(x,1,5) x[5:900] x[:,::3] x[indices] x[:,indices] x[bits] x[indices,order]
        gather(x,0,places) gather(x,1,places) take_along_dim(x,places,1) scatter(x,1,places%7,0.5)
        scatter_add(x,0,places,y) scatter_add(x,1,places,y) scatter_reduce(x,1,places,y,"amax")
        index_select(x,0,indices) index_select(x,1,indices) index_add(x,0,indices,y) index_fill(x,0,order,1.5)
        index_copy(x,0,order,y) masked_fill(x,bits,1.5) masked_scatter(x,bits,y) flip(x,(0,)) flip(x,(1,)) fliplr(x)
        flipud(x) roll(x,5,0) roll(x,5,1) roll(x,5) diag(line) diag(x) diagonal(x) diag_embed(x[:64]) diagflat(line)
        tril(x) triu(x,1) meshgrid(line,line,indexing="ij")[0].contiguous() x.unfold(1,64,32).contiguous() atleast_3d(x)
        """,
        "tril_indices(1024,1024) triu_indices(1024,1024)",
        "",
    ),
    "linear algebra": (
        """
        matmul(x,y) mm(x,y) mm(x,y.t()) bmm(cube,cube) mv(x,line) dot(x.view(-1),y.view(-1)) inner(x,y) outer(line,line)
        addmm(x,y,z) einsum("ij,jk->ik",x,y) einsum("bij,bjk->bik",cube,cube) einsum("ij,ij->i",x,y)
        tensordot(x,y,1) kron(small,small) cross(triples,triples+1)
        """,
        "",
        "",
    ),
    "creation and types": (
        """
        x.double() doubles.float() x.clone() zeros_like(x)*x x.to(float64)
        """,
        """
        zeros(1024,1024) ones(1024,1024) full((1024,1024),1.5) eye(1024) arange(1000000) arange(0,1000000,dtype=float32)
        arange(0.0,1.0,1e-6) linspace(0,1,1000000) zeros_like(x) ones_like(x) full_like(x,1.5) x.new_ones(1024,1024)
        x.new_zeros(1024,1024) x.new_full((1024,1024),2.0) x.long() x.int() x.bool() places.float() places.int()
        places.double() bits.float() bits.long() places.bool() doubles.long() tensor(x.numpy()) from_numpy(x.numpy())
        as_tensor(x.numpy()) x.detach() x.numpy()
        """,
        """
        rand(1024,1024) randn(1024,1024) rand(1024,1024,dtype=float64) randn(1024,1024,dtype=float64) rand_like(x)
        randn_like(x) randint(0,100,(1024,1024)) randperm(1000000) bernoulli(p) multinomial(p,8)
        multinomial(p,8,replacement=True) normal(x,y) normal(0.0,1.0,(1024,1024))
        """,
    ),
}


def prepare(expression: str, backward: bool, peers: Peers) -> Sides:
    # A name that no library has is one of the data; a method's receiver is one, too.
    code = compile(expression, "<case>", "eval")
    arrays = {name: make() for name, make in DATA.items() if name in code.co_names}

    def side(t: Any) -> Callable[[], Any]:
        given = {name: t.from_numpy(array) for name, array in arrays.items()}
        names = {**{name: getattr(t, name) for name in code.co_names if hasattr(t, name)}, **given}
        forward = partial(eval, code, names)
        if not backward:
            return forward
        leaves = [x.requires_grad_() for x in given.values() if x.is_floating_point()]
        outputs = forward()
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        arriving = [t.from_numpy(numbers(16 + i, 0.5, 1, *y.shape)) for i, y in enumerate(outputs)]
        return partial(t.autograd.grad, outputs, leaves, arriving, retain_graph=True)

    return peers.both(side)


def cases() -> Iterator[Case]:
    def case(expression: str, backward: bool, group: str, checked_runs: int) -> Case:
        name = f"{expression}, backward" if backward else expression
        make = partial(prepare, expression, backward)
        return Case("functions", name, make, group=group, seconds=SECONDS, checked_runs=checked_runs)

    for group, (differentiable, plain, random) in EXPRESSIONS.items():
        for expression in differentiable.split():
            yield case(expression, False, group, 1)
            yield case(expression, True, group, 1)
        for expression in plain.split():
            yield case(expression, False, group, 1)
        for expression in random.split():
            yield case(expression, False, group, 0)
