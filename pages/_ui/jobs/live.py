"""A background job on a page: its live progress and its curves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from colpo_core.records.jobs.jobs import JobEventRecord, JobRecord, PredictionProgress
from colpo_core.records.jobs.results import PredictionResult, TrainingResult
from colpo_core.records.training.stages import SEGMENTATION
from colpo_core.services.jobs import control as jobs
from colpo_core.services.models import predicting
from colpo_core.services.training import starting
from colpo_core.terms import JobState
from pages._ui.jobs.stage_words import MAIN_STAGES, pace_text, resources_text, side_runs, speed_text, stage_text
from pages._ui.shared.charts import CONFIG
from pages._ui.shared.context import page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_when
from pages._ui.shared.links import link

JobAction = Callable[..., JobRecord]
STATE_COLOURS = {
    JobState.QUEUED: "gray",
    JobState.RUNNING: "blue",
    JobState.DONE: "green",
    JobState.FAILED: "red",
    JobState.CANCELLED: "orange",
}
_CONTROLS = {
    "Cancel": "Stops after the present batch. Finished stages are kept, so that it can be run again.",
    "Pause": "Stops after the present batch, until somebody resumes it from there.",
    "Resume": "Goes on from the last checkpoint.",
    "Next": "Comes before all others that wait.",
    "Run again": "With the same settings: what failed or was cancelled goes on, a finished training starts anew.",
}
_LOSSES = {"train_loss": ("train", "#0f6b74"), "validation_loss": ("validation", "#d9822b")}
_METRICS = {
    "validation_iou_acetowhite": ("IoU of acetowhite", "#3b6fb5"),
    "validation_dice": ("Dice", "#7a5195"),
    "validation_accuracy": ("accuracy", "#7a5195"),
    "validation_auc": ("area under the ROC curve", "#3b6fb5"),
}
_SHOWN_MESSAGES = 8
_SHOWN_FAILURES = 50
_TOO_EARLY = 0.03
_HIGHEST_LOSS = 3  # times the highest training loss


def live_job(job_id: int) -> None:
    """Show a job, and follow it as long as it lasts.

    Args:
        job_id: Row of the job.
    """
    is_over = jobs.get_job(page_context().caller, job_id=job_id).state.is_over
    st.fragment(_draw_job, run_every=None if is_over else 1.0)(job_id, is_over)


def prediction_progress() -> None:
    """Show the predictions under way, if any; the page is redrawn when one has ended."""
    ctx = page_context()
    under_way = predicting.predictions_under_way(ctx.caller)
    if under_way:
        st.fragment(_draw_predictions, run_every=1.0)(len(under_way))
        return
    last = predicting.last_prediction(ctx.caller)
    broken = [job for job in last if job.state is JobState.FAILED]
    failures = [image for job in last if isinstance(job.result, PredictionResult) for image in job.result.failed]
    if broken:
        part = f" in {len(broken)} of its {len(last)} jobs" if len(last) > 1 else ""
        st.warning(f"The last prediction failed{part}: {broken[0].error}", icon=":material/error:")
    if failures:
        with st.expander(f"{len(failures)} images could not be predicted", icon=":material/warning:"):
            for failure in failures[:_SHOWN_FAILURES]:
                st.write(f"Image {failure.image_id}: {failure.reason}")
            if len(failures) > _SHOWN_FAILURES:
                st.caption(f"and {len(failures) - _SHOWN_FAILURES:,} more")


def _draw_predictions(shown: int) -> None:
    under_way = predicting.predictions_under_way(page_context().caller)
    if len(under_way) < shown:
        st.rerun()
    for prediction in under_way:
        st.progress(prediction.share, text=f"The model is predicting: {_prediction_text(prediction)}")


def _prediction_text(prediction: PredictionProgress) -> str:
    """How many images are done, how fast, how long it will still take, and in how many jobs."""
    if not prediction.n_running and not prediction.n_done:
        return "waits"
    parts = [f"{prediction.n_done:,} of {prediction.n_images:,} images"]
    if prediction.images_per_second is not None:
        parts.append(pace_text(prediction.images_per_second))
    if prediction.seconds_left is not None:
        parts.append(f"about {span_text(timedelta(seconds=prediction.seconds_left))} left")
    if prediction.n_jobs > 1:
        failed = f", {prediction.n_failed} failed" if prediction.n_failed else ""
        parts.append(f"{prediction.n_running} of {prediction.n_jobs} jobs run{failed}")
    return " · ".join(parts)


def _draw_job(job_id: int, was_over: bool) -> None:
    ctx = page_context()
    with showing_errors():
        job = jobs.get_job(ctx.caller, job_id=job_id)
        if job.state.is_over and not was_over:
            st.rerun()
        events = jobs.job_events(ctx.caller, job_id=job_id)
        with st.container(border=True):
            _head(job)
            _state_of(job)
            _beside(events, job)
            _curves(events, job)
            _messages(events)
            if job.state in (JobState.FAILED, JobState.RUNNING):
                with st.expander("What its process printed", icon=":material/terminal:"):
                    st.code(jobs.job_log(ctx.caller, job_id=job_id) or "nothing", language=None)


def _head(job: JobRecord) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Training {job.id}", width="content")
        st.badge(job.word, color=STATE_COLOURS[job.state])  # type: ignore[arg-type]
        settings = job.training_settings
        networks = f"{settings.preset} · {settings.classifier}" if settings else " · "
        st.caption(f"{networks} · {duration(job)}")
        st.space("stretch")
        if not job.state.is_over:
            _control(job, "Cancel", ":material/stop_circle:", jobs.cancel_job, is_off=job.cancel_requested)
            if job.paused:
                _control(job, "Resume", ":material/play_arrow:", jobs.resume_job)
            else:
                _control(job, "Pause", ":material/pause_circle:", jobs.pause_job, is_off=job.cancel_requested)
            if job.state is JobState.QUEUED and not job.paused:
                _control(job, "Next", ":material/vertical_align_top:", jobs.move_to_front)
        else:
            _control(job, "Run again", ":material/replay:", starting.run_again)


def _control(job: JobRecord, title: str, icon: str, action: JobAction, *, is_off: bool = False) -> None:
    st.button(
        title, icon=icon, on_click=_do, args=(action, job.id), disabled=is_off,
        key=f"{title.lower().replace(' ', '_')}_{job.id}", help=_CONTROLS[title],
    )  # fmt: skip


def _state_of(job: JobRecord) -> None:
    if job.state is JobState.DONE:
        made = job.result if isinstance(job.result, TrainingResult) else None
        st.success(f"Finished: {made.checkpoint if made else ''}", icon=":material/check_circle:")
        checkpoint_id = made.checkpoint_id if made else None
        link("models", "Look at the model", icon=":material/deployed_code:", checkpoint=checkpoint_id)
    elif job.state is JobState.FAILED:
        st.error(job.error or "The job failed.", icon=":material/error:")
    elif job.state is JobState.CANCELLED:
        st.info("Cancelled. Finished stages are kept: run it again to go on.", icon=":material/stop_circle:")
    elif job.paused:
        st.progress(job.share, text=f"Paused · {job.progress:.0%} of all")
    elif job.state is JobState.QUEUED:
        st.progress(0.0, text="Starts in a moment, or when the training before it is over")
    elif job.silent:
        st.warning("Its process fell silent; it is taken up again by itself.", icon=":material/sync_problem:")
    else:
        st.progress(job.share, text=_where(job))


def _where(job: JobRecord) -> str:
    if not job.stage:
        return "Getting ready"
    epoch = f" · epoch {min(job.epoch + 1, job.epochs_total)} of {job.epochs_total}" if job.epochs_total > 1 else ""
    return f"{stage_text(job.stage)}{epoch} · {job.progress:.0%} of all"


def _beside(events: tuple[JobEventRecord, ...], job: JobRecord) -> None:
    """Draw how far the trainings without curves are, and the speed."""
    parts = side_runs(events, job)
    if not job.state.is_over:
        parts += [text for text in (speed_text(events), resources_text(events)) if text]
    if left := _time_left(job):
        parts.append(left)
    if parts:
        st.caption(" · ".join(parts))


def _time_left(job: JobRecord) -> str:
    """How long it will take at the pace so far; nothing early on, and after a pause or a crash, which do not count."""
    if job.state is not JobState.RUNNING or job.started_at is None or job.attempt > 1 or job.progress < _TOO_EARLY:
        return ""
    taken = datetime.now(UTC) - job.started_at
    return f"about {span_text(taken * (1 / job.progress - 1))} left"


def _curves(events: tuple[JobEventRecord, ...], job: JobRecord) -> None:
    """Losses above, metrics below, a column for each network; of an epoch that was run again the last counts."""
    figures_by_stage: dict[str, dict[int, dict[str, float]]] = {stage: {} for stage in MAIN_STAGES}
    for event in events:
        if event.stage in figures_by_stage and event.figures:
            figures_by_stage[event.stage][event.epoch] = event.figures
    if not any(figures_by_stage.values()):
        return
    figure = make_subplots(
        rows=2, cols=3, column_titles=list(MAIN_STAGES.values()), vertical_spacing=0.16, horizontal_spacing=0.05
    )
    named: set[str] = set()
    for column, (stage, epochs) in enumerate(figures_by_stage.items(), start=1):
        figure.update_xaxes(range=[0.5, _epochs_of(stage, job) + 0.5], col=column)
        for row, lines in ((1, _LOSSES), (2, _METRICS)):
            figure.add_trace(go.Scatter(x=[None], y=[None], showlegend=False), row=row, col=column)
            for name, (label, colour) in lines.items():
                points = [(epoch, figures[name]) for epoch, figures in sorted(epochs.items()) if name in figures]
                if points:
                    line = _line(points, label, colour, is_named=label not in named)
                    figure.add_trace(line, row=row, col=column)
                    named.add(label)
        figure.update_yaxes(range=_loss_range(epochs), row=1, col=column)
    figure.update_yaxes(title_text="loss", row=1, col=1)
    figure.update_yaxes(title_text="on validation", row=2, col=1)
    figure.update_yaxes(range=[0, 1], row=2)
    figure.update_xaxes(title_text="epoch", row=2)
    figure.update_xaxes(tickformat="d")
    figure.update_layout(
        height=400,
        margin={"l": 0, "r": 0, "t": 28, "b": 10},
        legend={"orientation": "h", "y": -0.16},
        uirevision=job.id,
        template="plotly_white",
    )
    st.plotly_chart(figure, width="stretch", key=f"curves_{job.id}", config=CONFIG)


def _loss_range(epochs: dict[int, dict[str, float]]) -> list[float] | None:
    """The axis of the losses.

    In a segmenter's first epochs a few validation losses may be a hundred times the rest. They run off the axis, so
    that the rest can be seen; pointing at a line still tells its value.
    """
    trained = [figures["train_loss"] for figures in epochs.values() if "train_loss" in figures]
    if not trained:
        return None
    highest = max(value for figures in epochs.values() for name, value in figures.items() if name in _LOSSES)
    return [0.0, 1.05 * min(highest, _HIGHEST_LOSS * max(trained))]


def _epochs_of(stage: str, job: JobRecord) -> int:
    settings = job.training_settings
    if settings is None:
        return 1
    return settings.segmentation_epochs if stage == SEGMENTATION else settings.classification_epochs


def _line(points: list[tuple[int, float]], label: str, colour: str, *, is_named: bool) -> go.Scatter:
    return go.Scatter(
        x=[epoch for epoch, _ in points],
        y=[value for _, value in points],
        name=label,
        legendgroup=label,
        showlegend=is_named,
        mode="lines+markers",
        marker={"size": 4},
        line={"color": colour, "width": 2},
        hovertemplate=f"{label} %{{y:.3f}}<extra></extra>",
    )


def _messages(events: tuple[JobEventRecord, ...]) -> None:
    messages = [event for event in events if event.message][-_SHOWN_MESSAGES:]
    if messages:
        st.caption("  \n".join(f"{event.at:%H:%M:%S} · {event.message}" for event in reversed(messages)))


@showing_errors()
def _do(action: JobAction, job_id: int) -> None:
    job = action(page_context().caller, job_id=job_id)
    if job.id != job_id:
        st.query_params["job"] = str(job.id)


def duration(job: JobRecord) -> str:
    """How long a job took or has been running, or when it was asked for."""
    if job.started_at is None:
        return f"asked for {as_when(job.created_at)} UTC by {job.created_by}"
    return span_text((job.finished_at or datetime.now(UTC)) - job.started_at)


def about_text(seconds: float) -> str:
    """A span of time that is only estimated, to whole minutes from two minutes on."""
    if seconds < 120:
        return span_text(timedelta(seconds=seconds))
    return span_text(timedelta(minutes=round(seconds / 60))).removesuffix(" 00 s")


def span_text(span: timedelta) -> str:
    """A span of time, such as `3 min 20 s`."""
    minutes, seconds = divmod(max(0, int(span.total_seconds())), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds:02d} s"
