"""What every room stands on: clocks, waits that can be woken, backoff, logs, child processes, masked secrets."""
