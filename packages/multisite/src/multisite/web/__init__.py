"""The page: a server-rendered view of all regions, in the same process as the API.

Log in with Keystone, see the wall. Pages are HTML that works without a script; two scripts (htmx and its
extension for server-sent events) keep them current. Nothing comes from another host, nothing is inline.

For the rest of the service:

- `pages.create_pages(services, sealer, clock, cookie_name=…, event_interval=…)` → `pages.Pages` with
  `routes` (extend the app's with them), `router` (the same as an application), `home` (the answer to `/` for
  browsers) and `await close()` (ends the live views; before the server waits for its connections)
- `pages.PUBLIC_PATHS`: what answers without a session
- `services.Services`: what the page needs from the rest, as protocols
- `session.SessionSealer(key)`: seals the session cookie; 32 bytes or more

How it works: `visitors` turns a cookie into a requester; `wall`, `region`, `project` and `login` are the
pages; `tiles`, `bars`, `usage_rows` and `figures` turn values into what is printed; `snapshots` (which
fragments differ), `feeds` (one computation for all viewers) and `events` (the streams) keep pages current.
`inventory/` has the pages of the inventory and the forms that act; `once` lets a form be done once.
"""
