"""distilabel against the stub of `benchmarks.endpoint_client`; run by it, in an environment of distilabel's own.

Prints one JSON line: rows with requests a second.
"""

import json
import sys
import tempfile
import time

from distilabel.models.llms import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

TEXT = "Write one sentence about a person who has a dog and likes to ski in the Alps."


def client(url: str) -> OpenAILLM:
    """Its client class with the request that the others make."""
    return OpenAILLM(model="stub", base_url=url, api_key="none", generation_kwargs={"max_new_tokens": 64, "temperature": 0.0})


def alone(url: str, requests: int, batch: int) -> float:
    """Requests a second of the client class, batch after batch as a step calls it; the first batch is not counted."""
    llm = client(url)
    llm.load()
    inputs = [[{"role": "user", "content": TEXT}]] * batch
    llm.generate(inputs=inputs, max_new_tokens=64, temperature=0.0)
    start = time.perf_counter()
    for _ in range(requests // batch):
        assert len(llm.generate(inputs=inputs, max_new_tokens=64, temperature=0.0)) == batch
    return requests // batch * batch / (time.perf_counter() - start)


def pipeline(url: str, requests: int, batch: int) -> float:
    """Seconds of a pipeline of one step."""
    with tempfile.TemporaryDirectory() as folder, Pipeline(name=f"p{requests}", cache_dir=folder) as line:
        load = LoadDataFromDicts(data=[{"instruction": f"{TEXT} {n}"} for n in range(requests)], batch_size=batch)
        load >> TextGeneration(llm=client(url), input_batch_size=batch)
        start = time.perf_counter()
        done = line.run(use_cache=False)
        seconds = time.perf_counter() - start
    assert len(done["default"]["train"]) == requests
    return seconds


def main() -> None:
    """Measure and print."""
    url, requests, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    few, many = batch, requests + batch
    steady = (many - few) / (pipeline(url, many, batch) - pipeline(url, few, batch))
    rows = [
        {"client": "distilabel pipeline", "requests_per_s": steady},
        {"client": "distilabel client alone", "requests_per_s": alone(url, requests, batch)},
    ]
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
