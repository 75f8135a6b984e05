"""Recruitment: drives, vacancies, matching, offers, placements."""
