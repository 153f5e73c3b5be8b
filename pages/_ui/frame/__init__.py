"""What stands around every page: menu, account, notices of jobs, the session's watch."""
