"""The fast forms equal the plain ones, and every pair is adjoint."""

import pytest
import torch
import torch.nn.functional as F

from napari_decsc.deq.model.convolution import analyse, conv_3d, synthesise, synthesise_bands
from napari_decsc.deq.model.dictionaries import (
    BandDictionary,
    SeparableDictionary,
    SubspaceDictionary,
    UnsharedDictionary,
)
from napari_decsc.deq.model.frames import frame_bound, lapped_orthogonal, windowed_dct

torch.manual_seed(0)


@pytest.mark.parametrize(("taps", "stride"), [(8, 4), (4, 2), (6, 2)])
def test_synthesis_is_the_transposed_convolution(taps, stride):
    maps, filters = torch.randn(2, 5, 6, 7), torch.randn(5, 3, taps, taps)
    plain = F.conv_transpose2d(maps, filters, stride=stride, padding=(taps - stride) // 2)
    torch.testing.assert_close(synthesise(maps, filters, stride), plain, rtol=1e-4, atol=1e-4)


def test_synthesis_along_the_bands_is_the_transposed_3d_convolution():
    images, bands = 2, 5
    maps, filters = torch.randn(images * bands, 4, 3, 3), torch.randn(4, 3, 8, 8)
    volume = maps.view(images, bands, 4, 3, 3).transpose(1, 2)
    plain = F.conv_transpose3d(volume, filters[:, None], stride=(1, 4, 4), padding=(1, 2, 2))[:, 0]
    torch.testing.assert_close(synthesise_bands(maps, filters, 4, images), plain, rtol=1e-4, atol=1e-4)


def test_the_3d_convolution_is_the_plain_one():
    images, bands = 2, 5
    maps, kernel, bias = torch.randn(images * bands, 4, 6, 6), torch.randn(3, 4, 3, 3, 3), torch.randn(3)
    volume = maps.view(images, bands, 4, 6, 6).transpose(1, 2)
    plain = F.conv3d(volume, kernel, bias, padding=1).transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(conv_3d(maps, kernel, images, bias), plain, rtol=1e-4, atol=1e-4)


def adjoint(forward, backward, code, cube):
    """<forward(code), cube> = <code, backward(cube)>."""
    left, right = (forward(code) * cube).sum(), (code * backward(cube)).sum()
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-2)


def test_encoding_is_the_adjoint_of_decoding():
    cube = torch.randn(2, 31, 32, 32)
    band = BandDictionary(maps=7, bands=31, taps=8, stride=4, kind="tied")
    with torch.no_grad():
        k = band.filters.step
        adjoint(lambda S: band.decode(S, None, k), lambda x: band.encode(x, None, k), torch.randn(2, 7, 8, 8), cube)
        subspace = SubspaceDictionary(low=(8, 8, 6, 4), kind="fixed")
        basis, k = torch.randn(2, 31, 4), subspace.filters.step
        S = torch.randn(2, subspace.maps, 8, 8)
        adjoint(lambda S: subspace.decode(S, basis, k), lambda x: subspace.encode(x, basis, k), S, cube)
        unshared = UnsharedDictionary(maps=16, taps=8, stride=4, kind="tied")
        d = torch.randn_like(unshared.filters.step)
        H = torch.randn(62, 16, 8, 8)
        adjoint(lambda H: unshared.decode(H, 2, d), lambda x: unshared.encode(x, d), H, cube)
        separable = SeparableDictionary(taps=8, along=(0.1, 0.6, 0.3))
        d = separable.filters.step
        adjoint(lambda H: separable.decode(H, 2, d), lambda x: separable.encode(x, d), H, cube)


def test_a_separable_dictionary_is_that_of_the_products_of_its_taps():
    along = (0.1, 0.6, 0.3)
    separable, whole = SeparableDictionary(taps=8, along=along), UnsharedDictionary(16, 8, 4, "fixed")
    products = torch.tensor(along).view(3, 1, 1) * separable.filters.step
    H = torch.randn(10, 16, 5, 6)
    expected = whole.decode(H, 2, products)
    torch.testing.assert_close(separable.decode(H, 2, separable.filters.step), expected, rtol=1e-4, atol=1e-4)


def test_the_first_dictionaries_are_tight_frames():
    # away from the border, decoding what was encoded gives the image back
    image = torch.randn(1, 1, 64, 64)
    inside = slice(8, -8)
    dct = windowed_dct().reshape(64, 1, 8, 8)
    dct = dct / frame_bound(dct, 4) ** 0.5
    lapped = lapped_orthogonal()[:, None]
    for filters in (dct, lapped):
        back = synthesise(analyse(image, filters, 4), filters, 4)
        torch.testing.assert_close(back[..., inside, inside], image[..., inside, inside], rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize(("kind", "sets"), [("fixed", 0), ("tied", 1), ("untied", 3)])
def test_a_dictionary_learns_as_many_sets_of_filters_as_its_kind_says(kind, sets):
    assert len(list(UnsharedDictionary(16, 8, 4, kind).parameters())) == sets


def test_what_the_fixed_dictionary_can_see_is_left_alone_by_the_projector():
    shared = SubspaceDictionary(low=(8, 8), kind="fixed")
    k = shared.filters.step
    images = torch.randn(1, 2, 64, 64)
    images[..., :12, :] = images[..., -12:, :] = images[..., :12] = images[..., -12:] = 0
    seen = shared.component_maps(images, k)
    again = shared.component_maps(shared.component_images(seen, k), k)
    torch.testing.assert_close(again, seen, rtol=1e-4, atol=1e-4)
