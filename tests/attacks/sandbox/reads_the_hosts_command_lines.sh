# tries: what runs on the host, by the list of its processes
# stopped by: namespaces
# seen: no effect
[ -d /proc/@PID@ ] && echo escaped
cat /proc/*/cmdline | tr '\0' ' ' | grep -q '[p]ytest\|[b]wrap' && echo escaped
