"""As people write them: a script without a main guard. SET RUNS: trains, is stopped, goes on, is
measured, predicts; prints what it saw.
"""

import signal
import sys
from pathlib import Path

from convatlas import Callback, Recipe, predict, train
from convatlas.cli import main
from convatlas.errors import RunError, Stopped

images, runs = map(Path, sys.argv[1:])
recipe = Recipe(
    network="lenet1989", data=str(images), epochs=2, batch_size=8, save_every=0, shift=1
)


class StopAtTheThird(Callback):
    def step(self, progress, loss, rate):
        if progress.step == 3:
            try:
                train(recipe, runs / "stopped", resume=True)
            except RunError as error:
                print(error)
            signal.raise_signal(signal.SIGINT)


train(recipe, runs / "whole")
try:
    train(recipe, runs / "stopped", callback=StopAtTheThird())
except Stopped as stopped:
    print(stopped)
train(recipe, runs / "stopped", resume=True)
whole, resumed = ((runs / name / "model.safetensors").read_bytes() for name in ("whole", "stopped"))
print("the same bits" if whole == resumed else "other bits")
print(len(predict(runs / "stopped", images)), "images")
for words in (["eval", str(runs / "whole")], ["predict", str(runs / "whole"), str(images)]):
    try:
        main(words)
    except SystemExit as end:
        print(words[0], "ends with", end.code)
