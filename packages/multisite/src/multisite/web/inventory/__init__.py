"""The pages of the inventory: lists of a kind, one item, search, saved filters, and what can be done.

`asked` turns an address into a question and back; `columns` says what a list shows of each kind; `cells` and
`links` turn values into texts and links; `tables` and `paging` make a list; `listing`, `item`, `search`,
`saved` and `acts` are the pages.
"""
