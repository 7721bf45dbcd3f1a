"""What a crowd sends: pictures and sounds that real encoders have made once, kept in the cache."""

from pathlib import Path

from builder.bench.attendance import CAMERA_FRAMES, SCREEN_FRAMES
from builder.cache import exclusive, hash_of, is_complete, new_entry
from builder.paths import PROJECT, cache_folder
from builder.progress import step
from builder.run import Argument
from builder.toolbox import Toolbox, open_tree

PACKAGES = PROJECT / "tests/load/recorder.packages"
SECONDS = 10
# Width and height, pictures in a second, kbit/s: those of a camera as browsers send both at once,
# and a shared screen.
PICTURES = {
    "small.ivf": ("320x180", CAMERA_FRAMES["small"], 120),
    "large.ivf": ("640x360", CAMERA_FRAMES["large"], 450),
    "screen.ivf": ("1920x1080", SCREEN_FRAMES, 1000),
}
# As a browser has VP8 encoded for a meeting: at once, at a steady rate, one key frame at the
# beginning, and no picture that is not shown.
VP8 = (
    *("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-lag-in-frames", "0"),
    *("-auto-alt-ref", "0", "-error-resilient", "default", "-g", "9999", "-undershoot-pct", "95"),
)
# What moves all over the picture, and a sensor's noise; a voice of two tones that comes and goes.
SCENE = "testsrc2=size={size}:rate={rate}:duration={seconds},noise=alls=6:allf=t"
SPEECH = (
    "aevalsrc=0.4*(sin(2*PI*(140+30*sin(5*t))*t)+0.5*sin(2*PI*1900*t)+0.2*random(0))"
    "*max(0\\,sin(2*PI*1.7*t)):s=48000:d={seconds}"
)
VOICE = "voice.ogg"
# In packets of 20 ms, each in a page of its own.
OPUS = ("-c:a", "libopus", "-b:a", "32k", "-application", "voip", "-frame_duration", "20")
PAGES = ("-page_duration", "20000")


def recordings() -> Path:
    """The folder with all of it, made first where there is none."""
    names = (*PICTURES, VOICE)
    folder = cache_folder() / "recordings" / hash_of(PACKAGES, Path(__file__), str(PICTURES))
    if not is_complete(folder, *names):
        recorder = open_tree("recorder", hash_of(PACKAGES), PACKAGES, ("usr/bin/ffmpeg",))
        with exclusive("recordings"):
            if not is_complete(folder, *names):
                with step("Recording what a crowd sends"), new_entry(folder, *names) as growing:
                    _record(recorder, growing)
    return folder


def _record(recorder: Toolbox, folder: Path) -> None:
    for name, (size, rate, kilobits) in PICTURES.items():
        scene = SCENE.format(size=size, rate=rate, seconds=SECONDS)
        steady = [f"-{one}" for one in ("b:v", "minrate", "maxrate", "bufsize")]
        rates = [word for one in steady for word in (one, f"{kilobits}k")]
        _run(recorder, scene, [*VP8, *rates, "-pix_fmt", "yuv420p"], folder / name)
    speech = SPEECH.format(seconds=SECONDS)
    _run(recorder, speech, [*OPUS, *PAGES, "-ac", "2"], folder / VOICE)


def _run(recorder: Toolbox, scene: str, how: list[str], file: Path) -> None:
    command: list[Argument] = ["ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi"]
    log = cache_folder() / f"logs/recording-{file.stem}.log"
    recorder.run([*command, "-i", scene, *how, file], writable=[file.parent], log=log)
