"""A guest that never ends is ended by the engine's epoch, from another thread."""

import threading
import time

from wasmtime import Config, Engine, Instance, Module, Store, Trap

config = Config()
config.epoch_interruption = True
engine = Engine(config)
store = Store(engine)
store.set_epoch_deadline(1)
module = Module(engine, '(module (func $spin (export "run") (loop (br 0))))')
run = Instance(store, module, []).exports(store)["run"]


def tick() -> None:
    time.sleep(0.1)
    engine.increment_epoch()


thread = threading.Thread(target=tick)
thread.start()
try:
    run(store)
except Trap as trap:
    print(trap.trap_code, [frame.func_name for frame in trap.frames])
thread.join()
