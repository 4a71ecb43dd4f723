/** Ends with 0 where the app of this container answers that it lives. */
const answer = await fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`, {
  signal: AbortSignal.timeout(4_000),
}).catch(() => null);
process.exitCode = answer?.ok ? 0 : 1;
