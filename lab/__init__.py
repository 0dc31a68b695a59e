"""The lab: real OpenStack regions on one machine, for developers and for CI.

Each region is made of the genuine services from PyPI (Nova, Neutron, Glance,
Cinder, Placement) with drivers of our own where a region would touch hardware,
so everything a control plane knows is real and nothing needs a hypervisor.

`python -m lab --help` lists the commands; `lab/README.md` explains them.
"""
