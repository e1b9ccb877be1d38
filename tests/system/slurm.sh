#!/usr/bin/env bash
# A real SLURM on this machine: `slurm.sh start [NODES]` and `slurm.sh stop`. Debian or Ubuntu; no systemd, no cgroups, no accounting.
# As root it installs what is missing. Each node is a slurmd of its own on loopback. Clients need SLURM_CONF, which `start` prints.
set -euo pipefail
ROOT=${SLURM_TEST_ROOT:-${TMPDIR:-/tmp}/kithe-slurm}
export SLURM_CONF="$ROOT/slurm.conf"

alive() { [ -s "$ROOT/run/$1.pid" ] && kill -0 "$(cat "$ROOT/run/$1.pid")" 2>/dev/null; }

stop() {
  for file in "$ROOT"/run/*.pid; do
    local pid; pid=$(cat "$file" 2>/dev/null) || continue
    kill "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || continue 2; sleep 0.1; done
    kill -9 "$pid" 2>/dev/null || true
  done
}

install() {
  for program in slurmctld slurmd sbatch munged; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null && continue
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "no $program here, and no way to install it"; exit 3; }
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge >"$ROOT/log/apt.log" 2>&1 ||
      { apt-get update >>"$ROOT/log/apt.log" 2>&1; apt-get install -y --no-install-recommends slurmctld slurmd slurm-client munge >>"$ROOT/log/apt.log" 2>&1; } ||
      { tail -3 "$ROOT/log/apt.log"; exit 3; }
    return
  done
}

authentication() {
  mkdir -p /run/munge /etc/munge /var/log/munge
  [ -s /etc/munge/munge.key ] || dd if=/dev/urandom of=/etc/munge/munge.key bs=1 count=1024 status=none
  chown -R munge:munge /run/munge /etc/munge /var/log/munge; chmod 755 /run/munge; chmod 400 /etc/munge/munge.key
  # Ask the daemon itself: one that is dying still has a process.
  munge -n >/dev/null 2>&1 && return
  rm -f /run/munge/munge.socket.2*
  /usr/sbin/munged --force --pid-file "$ROOT/run/munged.pid" 2>/dev/null
}

configure() {
  local nodes=$1 host; host=$(hostname -s)
  cat >"$SLURM_CONF" <<CONF
ClusterName=kithe
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
StateSaveLocation=$ROOT/state
SlurmdSpoolDir=$ROOT/spool.%n
SlurmctldPidFile=$ROOT/run/slurmctld.pid
SlurmdPidFile=$ROOT/run/slurmd.%n.pid
SlurmctldLogFile=$ROOT/log/slurmctld.log
SlurmdLogFile=$ROOT/log/slurmd.%n.log
SlurmctldPort=${SLURM_TEST_PORT:-16817}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,sched_min_interval=0
ReturnToService=2
KillWait=5
MinJobAge=3600
JobRequeue=1
SlurmdParameters=config_overrides
CONF
  for node in $(seq "$nodes"); do
    echo "NodeName=n$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$((${SLURM_TEST_PORT:-16817} + node)) CPUs=8 RealMemory=8000 State=UNKNOWN" >>"$SLURM_CONF"
  done
  echo "PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP" >>"$SLURM_CONF"
}

start() {
  local nodes=$1
  mkdir -p "$ROOT"/{state,log,run}
  install
  if alive slurmctld && [ "$(grep -c ^NodeName "$SLURM_CONF")" != "$nodes" ]; then stop; rm -rf "$ROOT/state"; mkdir -p "$ROOT/state"; fi
  authentication
  alive slurmctld || { configure "$nodes"; /usr/sbin/slurmctld -c -f "$SLURM_CONF"; }
  for node in $(seq "$nodes"); do
    mkdir -p "$ROOT/spool.n$node"
    alive "slurmd.n$node" || /usr/sbin/slurmd -N "n$node" -f "$SLURM_CONF"
  done
  for _ in $(seq 300); do
    [ "$(timeout 5 sinfo -h -N -o %T 2>/dev/null | grep -cE '^(idle|mixed|allocated)$')" = "$nodes" ] && { echo "$SLURM_CONF"; return; }
    sleep 0.1
  done
  echo "SLURM did not come up"; tail -n 5 "$ROOT"/log/*.log; exit 1
}

case ${1:-} in
  start) start "${2:-1}" ;;
  stop) stop ;;
  *) echo "usage: slurm.sh start [NODES] | stop"; exit 2 ;;
esac
