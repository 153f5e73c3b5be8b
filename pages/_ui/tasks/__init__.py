"""Parts of the page of tasks: my queues, the list of tasks, one task's progress, and the form for a new one."""
