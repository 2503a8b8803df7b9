"""The picture of a soak: one small chart a series, all over the same time."""

from Soak.watch import SERIES

WIDTH, CHART, GAP, LEFT, RIGHT = 900, 86, 30, 70, 20
COLOURS = {"take_store": "#c0392b", "flip_bits": "#d68910", "break_off": "#7d8b99"}
FAULTS = {"take_store": "a store away", "flip_bits": "bits flipped", "break_off": "clients break off"}


def drawn(seen):
    """The picture as SVG."""
    looks, end = seen["looks"], max(seen["looks"][-1]["second"], 1)
    height = 50 + len(SERIES) * (CHART + GAP) + 30

    def x(second):
        return LEFT + (WIDTH - LEFT - RIGHT) * second / end

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    place = LEFT
    for kind, text in FAULTS.items():
        parts.append(f'<line x1="{place}" y1="16" x2="{place}" y2="30" stroke="{COLOURS[kind]}" stroke-width="2"/>')
        parts.append(f'<text x="{place + 6}" y="28">{text}</text>')
        place += 140
    for number, (name, (title, unit, _, _)) in enumerate(SERIES.items()):
        parts += chart(looks, seen["faults"], name, title, unit, 50 + number * (CHART + GAP), x)
    for share in range(5):
        minute = end / 60 * share / 4
        parts.append(f'<text x="{x(end * share / 4)}" y="{height - 12}" text-anchor="middle">{minute:.0f} min</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def chart(looks, faults, name, title, unit, top, x):
    points = [(each["second"], each[name]) for each in looks if each[name] is not None]
    most = max(1.0, *[value for _, value in points]) * 1.1
    bottom = top + CHART
    parts = [
        f'<text x="{LEFT}" y="{top - 6}" font-weight="bold">{title}{f" ({unit})" if unit else ""}</text>',
        f'<rect x="{LEFT}" y="{top}" width="{WIDTH - LEFT - RIGHT}" height="{CHART}" fill="none" stroke="#ccc"/>',
        f'<text x="{LEFT - 6}" y="{top + 10}" text-anchor="end">{most:.4g}</text>',
        f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">0</text>',
    ]
    for fault in faults:
        place = f"{x(fault['second']):.1f}"
        colour = COLOURS[fault["kind"]]
        parts.append(f'<line x1="{place}" y1="{top}" x2="{place}" y2="{bottom}" stroke="{colour}" opacity="0.4"/>')
    line = " ".join(f"{x(second):.1f},{bottom - CHART * value / most:.1f}" for second, value in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#1f618d"/>')
    return parts
