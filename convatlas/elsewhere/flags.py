"""Flags of other programs: timm's train.py, torchvision's references, ultralytics, the Trainer of
Hugging Face, Keras and fastai; and our own former ones.

SAME holds flags that mean exactly what a flag of ours means: they are understood. ANSWERS holds all
others: one sentence each, with what to type here. ALIKE is for readers: what is spelled as ours and
means something else there.
"""

from collections.abc import Mapping

# Theirs -> ours, where the meaning is the same; "--network" is the first word of `train`
SAME: Mapping[str, str] = {
    **dict.fromkeys(("--model", "--arch", "-a", "--model-name"), "--network"),
    **dict.fromkeys(("--data-path", "--data-dir"), "--data"),
    **dict.fromkeys(("--output-dir", "--out-dir", "--save-dir"), "--output"),
    **dict.fromkeys(("--imgsz", "--img-size", "--image-size"), "--size"),
    **dict.fromkeys(("--num-workers", "--dataloader-num-workers"), "--workers"),
    **dict.fromkeys(("--batch", "--bs"), "--batch-size"),
    **dict.fromkeys(("--num-epochs", "--n-epochs", "--num-train-epochs"), "--epochs"),
    "--optimizer": "--opt",
    **dict.fromkeys(("--learning-rate", "--base-lr"), "--lr"),
    "--wd": "--weight-decay",
    **dict.fromkeys(("--opt-eps", "--adam-epsilon"), "--eps"),
    **dict.fromkeys(("--lr-gamma", "--decay-rate"), "--gamma"),
    "--patience-epochs": "--patience",
    **dict.fromkeys(
        ("--early-stop", "--early-stopping-patience", "--early-stopping-epochs"), "--early-stopping"
    ),
    **dict.fromkeys(("--clip-grad-norm", "--max-grad-norm"), "--clip-grad"),
    **dict.fromkeys(("--smoothing", "--label-smoothing-factor"), "--label-smoothing"),
    "--mixup-alpha": "--mixup",
    "--cutmix-alpha": "--cutmix",
    "--ema-decay": "--ema",
    **dict.fromkeys(("--reprob", "--random-erase", "--erasing"), "--random-erasing"),
    "--ratio": "--crop-ratio",
    **dict.fromkeys(("--random-seed", "--manual-seed"), "--seed"),
    "--bf16": "--amp",
    **dict.fromkeys(("--use-deterministic-algorithms", "--cudnn-deterministic"), "--deterministic"),
    "--initial-checkpoint": "--weights",
    "--topk": "--top",
}

EVAL = "`convatlas eval RUN` tests a finished run"
EACH = "one line is printed an epoch, and each stands in the run's log.jsonl"
PROCESSES = (
    "`torchrun --nproc-per-node N -m convatlas train NETWORK` runs on N GPUs (docs/distributed.md)"
)
SCHEDULE = "--sched takes constant, cosine, step, plateau, polynomial or exponential"
MIXING = "--mixup and --cutmix act on every batch; with both, either half of the time"
POLICY = "--auto-augment takes randaugment, autoaugment, autoaugment-cifar or trivialaugment"
DROP = "dropout and stochastic depth are part of each network, as its paper prints them"
TESTED = "--test-sizes are the shorter sides in pixels at which images are tested"
EMA = "--ema 0.9999 averages the weights, keeping that share at each step"
KEPT = "the run's folder keeps the newest checkpoints and the best weights"
TAKEN = "the channels of the images and the classes of --data decide"


def _all(names: str, answer: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), answer)


ANSWERS: Mapping[str, str] = {
    # the network
    "--pretrained": "`--weights torchvision` starts from published weights, --weights FILE from a "
    "file",
    **_all(
        "--num-classes --nb-classes --n-classes --classes",
        "the number of classes is that of the folders of --data",
    ),
    **_all("--in-chans --in-channels --channels", f"no flag is needed: {TAKEN}"),
    **_all("--dropout --drop --drop-rate --drop-path --drop-path-rate --drop-connect", DROP),
    **_all("--drop-block --stochastic-depth --stochastic-depth-prob", DROP),
    **_all(
        "--gp --global-pool --bn-momentum --bn-eps --head-init-scale", "it is as the paper has it"
    ),
    "--sync-batchnorm": "--sync-bn takes batch norm over the batch of all processes",
    **_all(
        "--freeze-layers --freeze-backbone --linear-probe",
        "--freeze takes the names of stages, as `convatlas show NETWORK` lists them",
    ),
    "--fine-tune": "--weights FILE trains on from given weights; --freeze keeps stages as they are",
    "--finetune": "--weights FILE trains on from given weights; --freeze keeps stages as they are",
    # data
    **_all(
        "--dataset --dataset-name --train-dir --validation-dir --val-dir --train-file",
        "--data takes a set by name or one folder, with class folders in train/ and val/",
    ),
    "--dataset-download": "--download fetches a named data set that is not in --data-root",
    **_all(
        "--val-split --validation-split --test-split --train-val-split --split-ratio",
        "--val-fraction is the share of the training images that is kept for validation",
    ),
    "--train-split": "the folder train/ of --data is taken where there is one",
    "--class-map": "the classes are the names of the folders of --data",
    "--input-size": "--size is the side of the input in pixels",
    **_all(
        "--train-crop-size --crop-size --resolution",
        "--size is the side of the input in pixels, --resize the shorter side before cropping",
    ),
    **_all("--val-crop-size --val-resize-size --test-input-size", TESTED),
    "--crop-pct": "--resize is the shorter side in pixels before cropping: --size over crop-pct",
    **_all(
        "--mean --std", "no flag is needed: they are found, and the run's model.json holds them"
    ),
    **_all(
        "--interpolation --train-interpolation", "images are scaled bilinearly, with antialiasing"
    ),
    **_all(
        "--cache --cache-dataset --cache-images",
        "images are kept in memory where they fit; nothing is to be set",
    ),
    **_all("--pin-mem --pin-memory --no-prefetcher --prefetcher", "nothing is to be set for it"),
    # optimiser
    "--per-device-train-batch-size": "--batch-size is images a step, over all processes",
    "--per-device-eval-batch-size": "nothing is to be set for it: tests choose their own batch",
    **_all(
        "--grad-accum-steps --gradient-accumulation-steps --accumulate-grad-batches",
        "--accumulate N passes a batch in N parts, and --batch-size stays the whole step's",
    ),
    **_all("--opt-betas --adam-beta1 --adam-beta2", "the betas of Adam are 0.9 and 0.999"),
    **_all(
        "--norm-weight-decay --bias-weight-decay --no-weight-decay-norm",
        "--no-decay-norm takes the weight decay off biases, and scale and shift of norms",
    ),
    "--clip-mode": "--clip-grad bounds the norm of the gradient; there is no other mode",
    "--layer-decay": "all layers have one rate here; --freeze keeps stages as they are",
    **_all("--lr0 --max-lr --lr-max", "--lr is the peak rate"),
    **_all(
        "--lr-base --lr-base-size --lr-base-scale", "--lr is the rate itself, whatever the batch"
    ),
    # schedule
    **_all("--lr-scheduler --lr-schedule --lr-scheduler-type --scheduler --cos-lr", SCHEDULE),
    **_all("--lr-noise --lr-cycle-limit --lr-cycle-mul --lr-cycle-decay --lr-k-decay", SCHEDULE),
    **_all("--lrf --min-lr --lr-min --final-lr", "a cosine and a polynomial schedule end at 0"),
    **_all(
        "--lr-steps --lr-step-size --step-size --decay-milestones",
        "--sched step takes --milestones, epochs such as 30 60, and --gamma",
    ),
    **_all(
        "--warmup --warmup-steps --warmup-ratio --lr-warmup-epochs --lr-warmup-method",
        "--warmup-epochs is the linear warm-up in epochs, parts of one too",
    ),
    **_all(
        "--lr-warmup-decay --warmup-bias-lr --warmup-start-lr",
        "--warmup-lr is the rate at which the warm-up begins",
    ),
    "--cooldown-epochs": SCHEDULE,
    **_all("--max-steps --iterations --steps", "--epochs counts passes over the training images"),
    # averages, loss
    **_all("--model-ema --model-ema-decay --model-ema-steps --use-ema", EMA),
    **_all(
        "--class-weight --cls-weights --loss-weights --pos-weight --weighted-loss --balanced",
        "--class-weights balanced makes rare classes count as much as common ones in training",
    ),
    **_all(
        "--weighted-sampler --balanced-sampler --oversample --class-balanced",
        "each image is read once an epoch; --class-weights balanced weighs the rare classes more",
    ),
    **_all("--bce-loss --jsd-loss --criterion", "--loss takes cross-entropy, map or squared-error"),
    # augmentation
    **_all("--hflip --hflip-prob --fliplr --random-flip", "--flip mirrors half of the images"),
    **_all("--vflip --flipud", "images are not turned upside down; --flip mirrors half of them"),
    **_all("--aa --augmentation --auto-augment-policy", POLICY),
    **_all(
        "--ra-magnitude --ra-reps --ra-sampler --aug-repeats --aug-splits",
        f"{POLICY}; RandAugment takes 2 operations of magnitude 9",
    ),
    **_all(
        "--hsv-h --hsv-s --hsv-v --jitter",
        "--color-jitter changes brightness, contrast and saturation by up to a fraction",
    ),
    **_all("--degrees --rotation", "--rotate turns by up to so many degrees"),
    "--translate": "--shift moves by up to so many pixels",
    **_all("--remode --recount --resplit", "--random-erasing is the share of images it covers"),
    **_all(
        "--mixup-prob --mixup-switch-prob --mixup-mode --mixup-off-epoch --cutmix-minmax", MIXING
    ),
    "--use-mixup": "--mixup ALPHA mixes images, with alpha of the Beta distribution",
    "--no-aug": "`--recipe FILE.toml` without augmentation: `convatlas recipes modern` prints one",
    # where and how to run
    **_all("--gpu --gpu-id --cuda", "--device cuda takes the GPU"),
    **_all("--no-cuda --use-cpu --cpu --no-gpu", "--device cpu takes the processor"),
    **_all("--gpus --ngpu --num-gpus --nproc-per-node --devices", PROCESSES),
    **_all("--world-size --rank --local-rank --dist-url --dist-backend", PROCESSES),
    **_all("--multiprocessing-distributed --distributed --dp --ddp", PROCESSES),
    **_all(
        "--fp16 --half --mixed-precision --amp-dtype --amp-impl --dtype --precision",
        "--amp computes in bf16 where that is safe; there is no other precision but single",
    ),
    **_all("--torchcompile --torch-compile --torchscript --jit", "--compile compiles the network"),
    **_all("--benchmark --cudnn-benchmark", "--autotune tries layouts and precisions first"),
    # output
    "--experiment": "--output is the run's folder",
    **_all("--project --name --run-name", "--output is the run's folder, such as PROJECT/NAME"),
    **_all(
        "--exist-ok --overwrite-output-dir --overwrite",
        "no run is written over: give another --output, or --resume RUN to go on",
    ),
    **_all("--print-freq --log-interval --logging-steps --log-freq", EACH),
    **_all(
        "--tracker --log-wandb --wandb --report-to --tensorboard --logdir --log-dir --mlflow",
        "--log-to says which are told of the run: tensorboard, wandb, mlflow, trackio",
    ),
    **_all(
        "--save-period --save-freq --save-steps --checkpoint-hist --recovery-interval",
        f"--save-every is the seconds between checkpoints; {KEPT}",
    ),
    **_all("--save-best --save-best-only --save-total-limit --save-model", f"{KEPT} anyway"),
    **_all(
        "--verbose --quiet --silent", "a terminal shows a bar, a pipe plain lines; no flag needed"
    ),
    # what is another command or argument here
    **_all(
        "--checkpoint --ckpt --load --load-from --start-epoch --resume-from-checkpoint",
        "--resume RUN goes on with a run, --weights FILE starts from a file of weights",
    ),
    **_all("--test-only --evaluate -e --do-eval --eval-only --validate", EVAL),
    "--do-train": "`convatlas train NETWORK` trains, with no flag",
    "--do-predict": "`convatlas predict RUN IMAGE…` says what is on images",
    **_all(
        "--config --cfg --hyp -c", "--recipe takes a TOML file, or the name of a built-in recipe"
    ),
    # ours, before 0.1.0
    "--fastest": "it is now called --autotune",
    "--no-fastest": "it is now called --no-autotune",
}
FINISHED = "the first word after the command is the folder of a finished run"
# Where a flag means something else for commands that use a finished run
OF_A_RUN: Mapping[str, str] = {
    **_all("--checkpoint --ckpt --model --arch -a --resume --model-name", FINISHED),
    **_all(
        "--input --image",
        "images and folders of them stand after the run: `convatlas predict RUN IMAGE…`",
    ),
    **_all(
        "--batch-size --batch --bs -b --size --imgsz --img-size --image-size",
        "nothing is to be set for it: the run says how its images are read",
    ),
    **_all("--conf --iou --threshold", "every image gets the --top classes with probabilities"),
    **_all("--save-csv --results-file --save-txt", "--json prints one JSON object a line"),
}
ALIKE: Mapping[str, tuple[str, str]] = {  # ours -> (who has it, what it means there)
    "--batch-size": ("torchvision", "images a step on each GPU; here over all processes"),
    "--freeze": ("ultralytics", "a number of layers; here names of stages"),
    "--mixup": ("ultralytics", "a probability; here alpha of the Beta distribution"),
    "--patience": (
        "ultralytics, Keras",
        "when to stop, --early-stopping here; here when --sched plateau acts",
    ),
    "--resume": ("torchvision, timm", "a file; here the folder of a run"),
    "--scale": ("timm", "the share of the image that is cropped: --crop-scale here"),
    "--weights": ("torchvision", "such as ResNet50_Weights.DEFAULT; here torchvision, or a file"),
}


def same(flag: str, ours: set[str]) -> str:
    """Our flag that means exactly the same, among those of a command; "" if there is none.

    Underscores for hyphens are the same flag: --batch_size.
    """
    plain = flag.replace("_", "-")
    if plain in ours:
        return plain
    known = SAME.get(plain, "")
    return known if known in ours else ""


def answer(flag: str, of_a_run: bool = False) -> str:
    """What to type instead of a flag that another program has; "" for one that is nobody's."""
    plain = flag.replace("_", "-")
    return (OF_A_RUN.get(plain, "") if of_a_run else "") or ANSWERS.get(plain, "")
