import { Injectable } from '@nestjs/common';

export const other = Injectable;
