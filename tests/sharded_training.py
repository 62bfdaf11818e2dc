"""`python -m sharded_training` is `python -m stages.train` whose weights are sharded (FSDP2) over CPU processes.

Accelerate shards over GPUs only, by the type that it gives the processes. Here they get that type on a CPU:
all that follows from it (sharding, gathering, checkpoints) is as on GPUs, over gloo in place of NCCL.
"""

import contextlib
import sys

from accelerate.state import PartialState
from accelerate.utils import DistributedType

from stages import train
from stages.student import launching


def main():
    """Train as the arguments say."""
    made = PartialState.__init__

    def as_on_gpus(self, *args, **kwargs):
        made(self, *args, **kwargs)
        if self.distributed_type == DistributedType.MULTI_CPU:
            PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU

    with launching.member():
        PartialState.__init__ = as_on_gpus
        launching.member = contextlib.nullcontext
        train.main(sys.argv[1:], standalone_mode=False)


if __name__ == "__main__":
    main()
