#!/bin/bash

# Parameters
#SBATCH --account=lab
#SBATCH --array=0-3%3
#SBATCH --cpus-per-task=8
#SBATCH --error=/store/slurm/%A_%a_0_log.err
#SBATCH --gpus-per-node=4
#SBATCH --job-name=kithe
#SBATCH --mail-type=FAIL
#SBATCH --mem=32768M
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output=/store/slurm/%A_%a_0_log.out
#SBATCH --partition=gpu
#SBATCH --requeue
#SBATCH --signal=USR2@90
#SBATCH --time=90
#SBATCH --wckey=submitit

# setup
module load cuda

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output /store/slurm/%A_%a_%t_log.out --error /store/slurm/%A_%a_%t_log.err --nodes=1 --ntasks=1 --cpus-per-task=8 /python -u -m submitit.core._submit /store/slurm
