"""The table of what was measured: medians, ratios within a repetition, goals."""
import statistics


def number(value):
    return '-' if value is None else f'{value:,.0f}' if value >= 1000 else f'{value:.3g}'


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def rows(case, measured):
    """(cells, whether the goal was met) for each figure of a case."""
    for figure in case.figures:
        pairs = [[one.get(figure.field) for one in both] for both in measured]
        theirs, ours = (median([pair[place] for pair in pairs]) for place in (0, 1))
        scaled = [None if value is None else value * figure.scale for value in (theirs, ours)]
        ratios = [mine / other for other, mine in pairs if other and mine is not None]
        ratio = median(ratios)
        value = ratio if figure.of == 'ratio' else scaled[1]
        met = value is not None and figure.meets(value)
        spread = f' ({min(ratios):.2f}-{max(ratios):.2f})' if len(ratios) > 1 else ''
        yield [case.what, f'{figure.what}{", " + figure.unit if figure.unit else ""}',
               number(scaled[0]), number(scaled[1]),
               '-' if ratio is None else f'{ratio:.2f}{spread}', figure.goal_text(),
               'met' if met else 'MISSED'], met


def print_table(chosen, measured):
    """Prints it; whether all goals were met and nothing was broken."""
    table, good = [], True
    for case in chosen:
        for cells, met in rows(case, measured[case.name]):
            repeated = bool(table) and table[-1][0] == cells[0]
            table.append(cells if not repeated else [case.what, *cells[1:]])
            good = good and met
    head = ['case', 'figure', 'nginx', 'routerd', 'ratio (range)', 'goal', '']
    widths = [max(len(row[i]) for row in [head, *table]) for i in range(len(head))]
    for row in [head, *table]:
        print('  '.join(cell.rjust(width) if 2 <= i <= 3 else cell.ljust(width)
                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    reports = [report for pairs in measured.values() for both in pairs for report in both]
    broken = sum(report['broken'] for report in reports)
    print(f'\nbroken answers and streams: {broken:g}')
    for why in sorted({key for report in reports for key in report if key.startswith('broken: ')}):
        print(f'  {why[8:]}: {sum(report.get(why, 0) for report in reports):g}')
    strangers = [report['other_cores'] for report in reports if 'other_cores' in report]
    if strangers:
        print(f'other processes used {statistics.median(strangers):.2f} processors (median), '
              f'{max(strangers):.2f} at most')
    return good and broken == 0
