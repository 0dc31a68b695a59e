"""How many more servers of a flavor fit: a bound from inventories and usages alone.

A host is a tree of providers. For each resource class that the flavor asks for, a tree can take
`Σ ⌊(usable - used) / needed⌋` over its providers, none where `needed` breaks the provider's units; the
smallest class decides. A class that a tree does not have comes from sharing providers, whose space all
hosts divide among them.
"""

from collections.abc import Iterable, Mapping, Sequence

from multisite.capacity.details import Fit, Flavor
from multisite.capacity.model import Inventory, Provider


def fits(flavor: Flavor, providers: Iterable[Provider]) -> Fit:
    """How many more servers of `flavor` the available providers take at most."""
    usable = [provider for provider in providers if provider.available]
    shared = [provider for provider in usable if provider.shared]
    trees: dict[str, list[Provider]] = {}
    for provider in usable:
        if not provider.shared:
            trees.setdefault(provider.root, []).append(provider)
    by_hosts, from_shared = 0, set[str]()
    for tree in trees.values():
        count, borrowed = _tree(flavor.resources, tree, shared)
        by_hosts += count
        from_shared |= borrowed
    bounds = [_room(name, flavor.resources[name], shared) for name in from_shared]
    return Fit(flavor.id, flavor.name, flavor.vcpus, flavor.ram, flavor.disk, min([by_hosts, *bounds]))


def _tree(
    needs: Mapping[str, int], tree: Sequence[Provider], shared: Sequence[Provider]
) -> tuple[int, set[str]]:
    """How many fit on one host, and which classes it takes from sharing providers."""
    own = {name for provider in tree for name in provider.inventories}
    lent = {name for provider in shared for name in provider.inventories}
    borrowed = {name for name in needs if name not in own and name in lent}
    local = [name for name in needs if name not in borrowed]
    if not local or any(name not in own for name in local):
        return 0, set()
    return min(_room(name, needs[name], tree) for name in local), borrowed


def _room(name: str, needed: int, providers: Iterable[Provider]) -> int:
    return sum(
        _servers(provider.inventories[name], provider.usages.get(name, 0), needed)
        for provider in providers
        if name in provider.inventories
    )


def _servers(inventory: Inventory, used: int, needed: int) -> int:
    if needed < inventory.min_unit or needed > inventory.max_unit or needed % inventory.step_size:
        return 0
    return max(0, int(inventory.usable - used) // needed)
