"""A network learns to read handwritten digits: the whole run in the open, in plain PyTorch.

    python examples/loop.py

`convatlas train` does these very steps, and besides keeps checkpoints, draws curves and joins
processes. Its weights are the same to the last bit: tests/test_example.py compares them.
"""

import torch
from torch.nn.functional import cross_entropy

import convatlas
from convatlas.data import Augment, Loader, fit_preprocess, open_data
from convatlas.training.schedule import learning_rate
from convatlas.training.seeds import seed_for

torch.set_num_threads(1)  # threads wait for each other longer than so small a network takes

# What learns from what, and how.
recipe = convatlas.Recipe(
    network="lenet5",
    data="digits",
    epochs=6,
    lr=4e-3,  # the peak: it rises for an epoch, then falls as a cosine
    shift=1,
    rotate=10,
)

# Images: three splits, fitted to the network's input and normalised alike.
data = open_data(recipe.data, seed=recipe.seed, val_fraction=recipe.val_fraction)
torch.manual_seed(seed_for(recipe.seed, "weights"))
net = convatlas.create_model(
    recipe.network, num_classes=len(data.classes), in_channels=data.channels
)
prep = fit_preprocess(data, recipe.size or net.side)
augment = Augment(shift=recipe.shift, rotate=recipe.rotate)
train = Loader(data.train, prep, recipe.batch_size, recipe.seed, augment)
val, test = Loader(data.val, prep, recipe.batch_size), Loader(data.test, prep, recipe.batch_size)


def accuracy(loader: Loader) -> float:
    net.eval()
    with torch.no_grad():
        right = sum(int((net(x).argmax(1) == y).sum()) for x, y, _ in loader.all())
    return right / len(loader.split)


# Learning: after each epoch the validation images say whether these weights are the best so far.
optimiser = torch.optim.AdamW(net.parameters(), weight_decay=recipe.weight_decay, fused=True)
step, best_score, best = 0, 0.0, {}
for epoch in range(recipe.epochs):
    net.train()
    for x, y, _ in train.epoch(epoch):
        torch.manual_seed(seed_for(recipe.seed, "step", step))  # for networks with dropout
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(recipe, step, len(train))
        optimiser.zero_grad()
        loss = cross_entropy(net(x), y)
        loss.backward()
        optimiser.step()
        step += 1
    score = accuracy(val)
    print(f"epoch {epoch + 1}  loss {loss.item():.3f}  validation {score:.1%}")
    if score >= best_score:
        best_score = score
        best = {name: tensor.clone() for name, tensor in net.state_dict().items()}

# The test images are looked at once, at the end.
net.load_state_dict(best)
print(f"test {accuracy(test):.1%}")
