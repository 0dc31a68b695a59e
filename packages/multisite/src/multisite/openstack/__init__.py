"""The only code that talks to OpenStack.

A `RegionClient` makes calls to one region and answers plain dicts; `nova`, `placement`, `cinder`,
`neutron`, `glance` and `keystone` know the routes and wire formats of one service each. All of it runs
on one event loop of its own (`loop`), so that reading regions never delays an answer of the API.

Failures are `RegionCallError` with one of the codes of `failures.CODES`.
"""
