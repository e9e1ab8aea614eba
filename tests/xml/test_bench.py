"""Children moved about for the time being: whatever was done, the tree is what it was."""

import random
from time import process_time

import pytest
from lxml import etree

from paraphe.contract import NAMESPACE, operations
from paraphe.xml.bench import Bench
from paraphe.xml.validate import defects

V1 = f"{{{NAMESPACE}}}"
LISTS = {f"{V1}students"}


def message(count=5):
    students = "".join(f'<student a="{n}" xmlns:n="urn:{n}"><n:x/>t{n}</student> ' for n in range(count))
    return etree.fromstring(
        f'<SyncStudents b="c" xmlns="{NAMESPACE}"> <mode>x</mode> <students d="e">y{students}</students>z<a><b/></a>'
        "</SyncStudents>"
    )


def canonical(root):
    return etree.tostring(etree.fromstring(etree.tostring(root, with_tail=False)), method="c14n")


def test_the_copy_looks_like_the_message():
    bench = Bench(message(), LISTS)

    assert canonical(bench.root) == canonical(message())


@pytest.mark.parametrize("seed", range(20))
def test_what_was_put_back_is_what_was_sent(seed):
    chance = random.Random(seed)
    payload = message([0, 1, 5, 2000][seed % 4])
    sent = canonical(payload)
    bench = Bench(payload, LISTS)
    array = next(bench.root.iter(f"{V1}students"))
    places = {element: list(element) for element in (array, *bench.root.iter(f"{V1}a"))}
    for _ in range(5):
        for element, children in places.items():
            some = chance.sample(children, chance.randint(0, len(children)))
            bench.put(element, [*some, *([etree.Element("stand-in")] if chance.random() < 0.5 else [])])
            assert list(element)[: len(some)] == some
    bench.put(bench.root, chance.sample(list(bench.root), len(bench.root)))

    for element, children in places.items():
        bench.put(element, children)
    bench.clear()

    assert canonical(payload) == sent


def test_after_a_search_for_defects_the_message_is_what_it_was():
    payload = message(2500)
    sent = canonical(payload)

    assert defects(payload, operations()["SyncStudents"], 100)
    assert canonical(payload) == sent


def test_copies_and_originals_know_each_other():
    payload = message()
    bench = Bench(payload, LISTS)
    array, copy = next(payload.iter(f"{V1}students")), next(bench.root.iter(f"{V1}students"))

    assert (bench.copy_of(array), bench.original_of(copy)) == (copy, array)
    assert (bench.copy_of(copy[0]), bench.original_of(copy[0])) == (copy[0], copy[0])
    assert bench.original_of(bench.root) is payload


def test_to_put_a_large_element_aside_takes_linear_time():
    spent = []
    for count in (20_000, 80_000):
        item = "<student/>" * count
        payload = etree.fromstring(f'<SyncStudents xmlns="{NAMESPACE}"><a>{item}</a><mode/></SyncStudents>')
        begin = process_time()
        bench = Bench(payload, LISTS)
        bench.put(bench.root, [bench.root[1]])
        bench.put(bench.root, [bench.root[0]])
        bench.clear()
        spent.append(process_time() - begin)

    assert spent[1] < 8 * spent[0] + 0.5  # taken out of the tree: 4 s
