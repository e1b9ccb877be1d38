#!/bin/bash

# Parameters
#SBATCH --cpus-per-task=4
#SBATCH --error=/store/slurm/%j_0_log.err
#SBATCH --job-name=kithe
#SBATCH --mem=16384M
#SBATCH --no-requeue
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output=/store/slurm/%j_0_log.out
#SBATCH --signal=USR2@90
#SBATCH --time=60
#SBATCH --wckey=submitit

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output /store/slurm/%j_%t_log.out --error /store/slurm/%j_%t_log.err --nodes=1 --ntasks=1 --cpus-per-task=4 /python -u -m submitit.core._submit /store/slurm
