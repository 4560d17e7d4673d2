"""The table of what was measured: medians, ratios within a repetition, goals."""
import statistics


def number(value):
    return '-' if value is None else f'{value:,.0f}' if value >= 1000 else f'{value:.3g}'


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def rows(case, measured):
    """(cells behind the first, whether the goal was met) for each figure of a case."""
    for figure in case.figures:
        pairs = [[one.get(figure.field) for one in both] for both in measured]
        theirs, ours = (median([pair[place] for pair in pairs]) for place in (0, 1))
        scaled = [None if value is None else value * figure.scale for value in (theirs, ours)]
        ratios = [mine / other for other, mine in pairs if other and mine is not None]
        ratio = median(ratios)
        value = ratio if figure.of == 'ratio' else scaled[1]
        met = value is not None and figure.meets(value)
        spread = f' ({min(ratios):.2f}-{max(ratios):.2f})' if len(ratios) > 1 else ''
        yield [f'{figure.what}{", " + figure.unit if figure.unit else ""}',
               number(scaled[0]), number(scaled[1]),
               '-' if ratio is None else f'{ratio:.2f}{spread}', figure.goal_text(),
               'met' if met else 'MISSED'], met


def print_table(chosen, measured):
    """Prints it; whether all goals were met and nothing was broken."""
    table, good = [], True
    for case in chosen:
        what = case.what
        for cells, met in rows(case, measured[case.name]):
            table.append([what, *cells])
            what, good = '', good and met
    head = ['case', 'figure', 'nginx', 'routerd', 'ratio (range)', 'goal', '']
    widths = [max(len(row[i]) for row in [head, *table]) for i in range(len(head))]
    for row in [head, *table]:
        print('  '.join(cell.rjust(width) if 2 <= i <= 3 else cell.ljust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    reports = [report for pairs in measured.values() for both in pairs for report in both]
    print()
    return print_broken(reports) and good


def print_broken(reports):
    """Beside it, how far to trust the figures; whether nothing was broken."""
    broken = 0
    for target in sorted({report['target'] for report in reports}):
        mine = [report for report in reports if report['target'] == target]
        broken += sum(report['broken'] for report in mine)
        print(f'broken answers and streams of {target}: {sum(r["broken"] for r in mine):g}')
        for why in sorted({key for report in mine for key in report if key.startswith('broken: ')}):
            print(f'  {why[8:]}: {sum(report.get(why, 0) for report in mine):g}')
    strangers = [report['other_cores'] for report in reports if 'other_cores' in report]
    if strangers:
        print(f'other processes used {statistics.median(strangers):.2f} processors (median), '
              f'{max(strangers):.2f} at most')
    return broken == 0
