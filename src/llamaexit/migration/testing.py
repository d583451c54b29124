"""The step that tests a replacement: the old model first, then the new one with the same questions, then the verdict.

Results are kept beside the journal, so a run that goes on does not ask again what was answered already.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from llamaexit.jsonable import jsonable
from llamaexit.migration.events import CheckBegan, CheckEnded, Judged, Noted, StepChanged
from llamaexit.migration.failures import JournalError, StepFailed
from llamaexit.migration.names import stage_name
from llamaexit.planning.rules import means
from llamaexit.smoke.evidence import dump_result, load_result_file
from llamaexit.smoke.model import CheckResult, Subject, SuiteResult

if TYPE_CHECKING:
    from llamaexit.migration.journal import Record
    from llamaexit.migration.options import MigrationOptions
    from llamaexit.migration.steps import Job
    from llamaexit.migration.work import Listed, Work
    from llamaexit.smoke.model import Comparison

Role = Literal["old", "new"]
_FALLBACK_CONTEXT = 4096
"""Tokens to test with where nothing is known about a target's memory: Ollama's own smallest default."""


def new_seed() -> int:
    """The seed of a run: from it come the random words in the questions, the same for the old and the new model."""
    return secrets.randbits(31)


def load_result(folder: Path, number: int, role: Role) -> SuiteResult | None:
    """The results of one model of a run; None when it was not tested. Raises JournalError."""
    path = _path(folder, number, role)
    return load_result_file(path) if path.exists() else None


def test_job(work: Work, step: Listed, job: Job, options: MigrationOptions) -> None:
    """Test one replacement. Raises StepFailed when the verdict is not a go and nobody accepted it."""
    names = work.look()
    accepted = any(means(pattern, job.source) for pattern in options.accept)
    new_name = stage_name(work.run, job.number) if job.rebuilt else job.target.model
    digest = names.digest(new_name) or _built(work, job)
    verdict = _last_verdict(work, step, job)
    if verdict is not None and not accepted and verdict["comparison"]["verdict"] != "go":
        # asked again after a no-go: something was put right meanwhile, or should have been
        _forget(work.folder, job.number)
    elif verdict is not None and work.recorded(step.id) is not None and _kept(work, job, "new", digest) is not None:
        work.tell(StepChanged(step.number, step.of, step.phase, step.title, "already", "tested before"))
        return
    if names.digest(new_name) is None:
        raise StepFailed("gone", f"{new_name}, which is to be tested, is gone")
    new = _subject(job, new_name, digest, work)
    old = _old_subject(job, names.digest(job.source), work)
    begun = time.monotonic()
    work.note("intent", step=step.id)
    work.tell(StepChanged(step.number, step.of, step.phase, step.title, "begun"))
    before = _tested(work, job, "old", old, options, None) if old is not None else None
    after = _tested(work, job, "new", new, options, before)
    comparison = _compared(before, after)
    work.note(
        "verdict", source=job.source, target=job.target.model, number=job.number, accepted=accepted,
        comparison=jsonable(comparison),
    )  # fmt: skip
    work.tell(Judged(job.source, job.target.model, comparison))
    seconds = round(time.monotonic() - begun, 3)
    if comparison.verdict != "go" and not accepted:
        work.note("failed", step=step.id, detail=comparison.reason, seconds=seconds)
        work.tell(StepChanged(step.number, step.of, step.phase, step.title, "failed", comparison.reason, seconds))
        raise StepFailed(
            comparison.verdict,
            f"{job.source} is not switched to {job.target.model}: {comparison.reason}",
            hint=f"llamaexit show {work.run} tells why; migrate with --accept {job.source} switches all the same",
        )
    detail = comparison.reason if comparison.verdict == "go" else f"{comparison.reason}; accepted by --accept"
    work.note("done", step=step.id, detail=detail, seconds=seconds)
    work.tell(StepChanged(step.number, step.of, step.phase, step.title, "done", detail, seconds))


def _tested(
    work: Work, job: Job, role: Role, subject: Subject, options: MigrationOptions, old: SuiteResult | None
) -> SuiteResult:
    """The results of one model: those that are kept, or else new ones."""
    kept = _kept(work, job, role, subject.digest)
    if kept is not None:
        work.tell(Noted(f"{subject.name} was tested before: its results are kept"))
        return kept
    from llamaexit.smoke.runner import run_suite

    def began(check: str, title: str, number: int, of: int, seconds_left: float | None) -> None:
        work.tell(CheckBegan(subject.name, role, check, title, number, of, seconds_left))

    def ended(result: CheckResult) -> None:
        work.tell(CheckEnded(subject.name, role, result))

    result = run_suite(
        subject,
        work.tools.inference,
        suite=options.suite,
        own=job.target.smoke,
        seed=_seed(work),
        began=began,
        ended=ended,
        answer_seconds=options.answer_seconds,
        old=old,
    )
    path = _path(work.folder, job.number, role)
    try:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        temporary = path.with_suffix(".tmp")
        temporary.write_bytes(dump_result(result))
        temporary.replace(path)
    except OSError as error:
        raise JournalError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error
    return result


def _compared(old: SuiteResult | None, new: SuiteResult) -> Comparison:
    from llamaexit.smoke.verdict import compare

    return compare(old, new)


def _subject(job: Job, name: str, digest: str | None, work: Work) -> Subject:
    target = job.target
    return Subject(
        name=name,
        digest=digest,
        uses=target.uses,
        capabilities=target.capabilities,
        context=_context(job),
        thinks=target.thinking.default,
        ollama_version=_version(work),
        architecture="",
        gpu_share=target.fit.unloaded.gpu_share if target.fit is not None else None,
        system=job.rebuilt and any(carried == "SYSTEM" for carried in _carries(job)),
    )


def _old_subject(job: Job, digest: str | None, work: Work) -> Subject | None:
    source = job.decision.source
    if not source.installed or digest is None:
        return None
    return Subject(
        name=source.model,
        digest=digest,
        uses=job.target.uses,
        capabilities=source.capabilities,
        context=min(_context(job), source.context or _context(job)),
        thinks=source.capabilities is not None and "thinking" in source.capabilities,
        ollama_version=_version(work),
        gpu_share=source.fit.unloaded.gpu_share if source.fit is not None else None,
        system=any(carried == "SYSTEM" for carried in _carries(job)),
    )


def _carries(job: Job) -> tuple[str, ...]:
    return job.decision.rebuild.carries if job.decision.rebuild is not None else ()


def _context(job: Job) -> int:
    target = job.target
    return target.set_context or (target.fit.context if target.fit is not None else _FALLBACK_CONTEXT)


def _version(work: Work) -> str | None:
    version = work.journal.records[0].get("ollama_version")
    return str(version) if version else None


def _seed(work: Work) -> int:
    return int(work.journal.records[0]["seed"])


def _last_verdict(work: Work, step: Listed, job: Job) -> Record | None:
    """What the latest testing of a replacement ended with; None when there was none, or it was broken off."""
    for record in reversed(work.journal.records):
        if record["event"] == "verdict" and record["source"] == job.source:
            return record
        if record["event"] == "intent" and record.get("step") == step.id:
            break
    return None


def _built(work: Work, job: Job) -> str | None:
    """The digest of what was prepared for a custom model, which lives on under its name once it was switched to."""
    record = work.recorded(f"build {job.source}")
    return str(record["after"]) if record is not None else None


def _kept(work: Work, job: Job, role: Role, digest: str | None) -> SuiteResult | None:
    """Earlier results of the very same model, asked the very same questions."""
    result = load_result(work.folder, job.number, role)
    same = result is not None and result.subject.digest == digest and result.seed == _seed(work)
    return result if same and result is not None and result.failed_to_load is None else None


def _forget(folder: Path, number: int) -> None:
    for role in ("old", "new"):
        _path(folder, number, role).unlink(missing_ok=True)


def _path(folder: Path, number: int, role: str) -> Path:
    return folder / "tests" / f"{number}-{role}.json"
