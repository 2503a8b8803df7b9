"""The sides of a run. Each is started when a line needs it first, with what is read of it, and runs to the end."""

import functools

import ceph
import degraded
import filled
import sides


class Stage:
    """The sides that are wanted, by name."""

    def __init__(self, stack, folder, options, seed):
        self.stack, self.seed = stack, seed
        self.running = {}
        self.makers = {}
        (folder / "authority").mkdir()
        authority = sides.certificates.make(folder / "authority")

        def add(name, make, *arguments, **named):
            self.makers[name] = functools.partial(make, *arguments, **named)

        add("tidegate", sides.tidegate, folder / "tidegate", options.set)
        add("tidegate-plain", sides.tidegate, folder / "tidegate-plain", ["md5=plain", *options.set])
        if "nginx" not in options.without:
            add("nginx", sides.nginx, folder / "nginx")
            add("nginx-copying", sides.nginx, folder / "nginx-copying", sendfile=False)
            add("nginx-tls", sides.nginx, folder / "nginx-tls", authority=authority)
            add("tidegate-tls", sides.tidegate, folder / "tidegate-tls", options.set, authority)
        add("whole", degraded.whole, folder / "whole", options.set)
        add("degraded", degraded.degraded, folder / "degraded", options.set)
        if "seaweedfs" not in options.without:
            add("seaweedfs", sides.seaweedfs, folder / "seaweedfs")
        if "ceph" not in options.without:
            add("ceph", ceph.rgw, folder / "ceph")
        for count in [10_000, 10_000_000]:
            add(f"filled-{count}", filled.serving, count)

    def __contains__(self, name):
        return name in self.makers

    def __getitem__(self, name):
        if name not in self.running:
            side = self.stack.enter_context(self.makers[name]())
            self.running[name] = side
            self.seed(name, side)
        return self.running[name]
